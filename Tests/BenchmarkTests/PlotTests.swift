import Posix
import TestSupport
import Testing

@testable import benchmark

@Suite("The plot of the drain's cost", .alone)
struct PlotTests {
  @Test("All decades are equally wide, and all values are between the first tick and the last")
  func logScale() {
    let scale = LogScale([100, 5_000], range: 0...200)
    #expect(scale.ticks == [100, 1_000, 10_000])
    #expect(scale.position(100) == 0)
    #expect(abs(scale.position(1_000) - 100) < 1e-9)
    #expect(abs(scale.position(10_000) - 200) < 1e-9)
  }

  @Test(
    "A single size has an axis",
    arguments: [([1], [1, 10]), ([1_000], [1_000, 10_000]), ([], [1, 10])] as [([Int], [Int])])
  func shortAxis(sizes: [Int], ticks: [Int]) { #expect(LogScale(sizes, range: 0...1).ticks == ticks) }

  @Test(
    "Ticks are round, begin at 0 and cover the value",
    arguments: [0.004, 0.9, 1, 1.1, 2, 3.9, 5, 8, 9.99, 10, 1_234, 98_765] as [Double])
  func roundTicks(value: Double) throws {
    let ticks = RoundTicks.upTo(value)
    #expect(ticks.first == 0)
    #expect(try #require(ticks.last) >= value)
    #expect(ticks[ticks.count - 2] < value)
    #expect((4...9).contains(ticks.count))
  }

  @Test(
    "An axis has ticks even if there is nothing to measure", arguments: [0, -1, .infinity, .nan] as [Double])
  func noTicks(value: Double) { #expect(RoundTicks.upTo(value) == [0, 1]) }

  @Test("The plot has a point for every size and a dashed line for the bare loop, and its caption is escaped")
  func svg() {
    let curve = DrainCost(
      bareSpawn: 1.1e-3,
      points: [100, 1_000, 10_000].map { .init(files: $0, cost: 1.2e-3, samples: [1.2e-3]) })
    let svg = Plot(curve, caption: "A & B <C>").svg
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
    #expect(svg.split(separator: "<circle").count == 4)
    #expect(svg.contains("posix_spawn + waitpid alone: 1,100 µs"))
    #expect(svg.contains(">1,200 µs<"))
    #expect(svg.contains("A &amp; B &lt;C&gt;"))
    #expect(svg.contains("prefers-color-scheme: dark"))
  }

  @Test(
    "The cost of a trigger is the time of a job after the first 200, and a share of the time before the first"
  )
  func beginning() throws {
    let begin = Timestamp(seconds: 1_000)
    // Two seconds of preparation; the first 200 jobs are slow, then there is one each millisecond.
    let slow = (0..<200).map { begin + .seconds(2) + .milliseconds($0 * 10) }
    let steady = (0...1_000).map { begin + .seconds(10) + .milliseconds($0) }
    let cost = try #require(DrainCost.cost(of: slow + steady, in: 1_000_000, since: begin))
    #expect(abs(cost - (1e-3 + 2e-6)) < 1e-12)
  }

  @Test("Too few jobs do not give a cost")
  func tooFew() {
    let begin = Timestamp(seconds: 1_000)
    #expect(DrainCost.cost(of: [], in: 10, since: begin) == nil)
    #expect(DrainCost.cost(of: Array(repeating: begin, count: 201), in: 10, since: begin) == nil)
  }
}
