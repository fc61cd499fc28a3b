import Posix
import Testing

@testable import Jobs

@Suite("The steps by which processes are ended")
struct TeardownTests {
  private static let begin = MonotonicTime(nanoseconds: 0)

  private func descent(grace: Duration = .seconds(10)) -> Teardown.Descent {
    Teardown.Descent(.stopping(grace: grace), now: Self.begin)
  }

  @Test("The first step is SIGTERM, and gives the processes their grace")
  func firstStep() {
    let descent = descent()
    #expect(descent.signal == Signals.terminate)
    #expect(descent.deadline == Self.begin + .seconds(10))
  }

  @Test("SIGKILL follows when the grace is over, not before")
  func grace() {
    var descent = descent()
    let isTooEarly = descent.advance(now: Self.begin + .milliseconds(9_999), isUrgent: false)
    #expect(!isTooEarly)
    #expect(descent.signal == Signals.terminate)
    let isDue = descent.advance(now: Self.begin + .seconds(10), isUrgent: false)
    #expect(isDue)
    #expect(descent.signal == Signals.kill)
    #expect(descent.deadline == Self.begin + .seconds(10) + Teardown.patienceAfterKill)
  }

  @Test("A caller in a hurry does not wait for the grace")
  func hurry() {
    var descent = descent()
    let advanced = descent.advance(now: Self.begin, isUrgent: true)
    #expect(advanced)
    #expect(descent.signal == Signals.kill)
  }

  @Test("A caller in a hurry still waits for the effect of SIGKILL, and then the processes are abandoned")
  func end() {
    var descent = descent(grace: .zero)
    _ = descent.advance(now: Self.begin, isUrgent: true)
    let isHurried = descent.advance(now: Self.begin, isUrgent: true)
    #expect(!isHurried)
    let isDue = descent.advance(now: Self.begin + Teardown.patienceAfterKill, isUrgent: false)
    #expect(isDue)
    #expect(descent.signal == nil)
    let goesOn = descent.advance(now: Self.begin + .seconds(60), isUrgent: true)
    #expect(!goesOn)
  }
}
