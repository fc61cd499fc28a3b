import TestSupport
import Testing

@testable import benchmark

@Suite("Samples and their comparison", .alone)
struct SamplesTests {
  @Test(
    "The median is the middle sample, or the mean of the two in the middle",
    arguments: [([3.0], 3.0), ([9, 1, 5], 5), ([4, 1, 3, 2], 2.5), ([1, 1, 100], 1)] as [([Double], Double)])
  func median(samples: [Double], middle: Double) { #expect(samples.median == middle) }

  @Test("An empty list of samples does not have a median")
  func none() { #expect([Double]().median == nil) }

  @Test("The two sides of the pairs take turns, and the measured side is first")
  func turns() throws {
    var order: [String] = []
    let pairs = try Pairs(2) { turn in
      order.append("A\(turn)")
      return Double(turn)
    } against: { turn in
      order.append("B\(turn)")
      return Double(turn * 10)
    }
    #expect(order == ["A1", "B1", "A2", "B2"])
    #expect(pairs == Pairs(measured: [1, 2], reference: [10, 20]))
  }

  @Test(
    "The ratio is the median of the pairs' ratios, so that a short slow period of the machine changes nothing"
  )
  func pairedRatio() {
    // The ratio of the medians would be 3.
    let pairs = Pairs(measured: [2, 30, 3], reference: [1, 15, 1])
    #expect(Finding(.drain, "", .perSecond, pairs, against: "").ratio == 2)
  }

  @Test("Two sides with different numbers of samples are compared by their medians")
  func unpairedRatio() {
    let sides = Pairs(measured: [6], reference: [2, 3, 100])
    #expect(Finding(.backlog, "", .seconds, sides, against: "").ratio == 2)
  }

  @Test(
    "A goal is met at its limit, and missed beyond it",
    arguments: [
      (Goal.ratio(.atLeast, 0.9), 9.0, true), (.ratio(.atLeast, 0.9), 8.9, false),
      (.ratio(.atMost, 1.3), 13, true), (.ratio(.atMost, 1.3), 13.1, false),
      (.value(.atMost, 9), 9, true), (.value(.atMost, 9), 9.1, false),
    ])
  func goals(goal: Goal, measured: Double, isMet: Bool) {
    let pairs = Pairs(measured: [measured], reference: [10])
    #expect(Finding(.drain, "", .seconds, pairs, against: "", goal: goal).isMet == isMet)
  }

  @Test("A figure that was not measured neither meets nor misses a goal")
  func gap() {
    let finding = Finding(.nq, "", gap: "nq is not installed")
    #expect(finding.isMet == nil)
    #expect(finding.measured == nil)
  }
}
