import Posix
import Testing

@testable import Jobs

@Suite("The silence of a job")
struct SilenceTests {
  private static func at(_ seconds: Int) -> MonotonicTime {
    MonotonicTime(nanoseconds: 0) + .seconds(seconds)
  }

  /// One check of the pipes, in seconds.
  struct Check: Sendable {
    let begin: Int
    let end: Int
    var hasOutput = false
  }

  @Test(
    "A silence is too long when the pipes are still empty after its limit",
    arguments: [
      ([Check(begin: 0, end: 10)], false), ([Check(begin: 0, end: 10), Check(begin: 10, end: 10)], true),
      ([Check(begin: 10, end: 10, hasOutput: true)], false),
      // The process did not run for an hour, and the output came meanwhile.
      ([Check(begin: 0, end: 3_600), Check(begin: 3_600, end: 3_600, hasOutput: true)], false),
      ([Check(begin: 0, end: 5, hasOutput: true), Check(begin: 14, end: 15)], false),
      ([Check(begin: 0, end: 5, hasOutput: true), Check(begin: 15, end: 15)], true),
    ])
  func limit(checks: [Check], isTooLong: Bool) {
    var silence = Silence(limit: .seconds(10), since: Self.at(0))
    for check in checks {
      silence.note(hasOutput: check.hasOutput, since: Self.at(check.begin), now: Self.at(check.end))
    }
    #expect(silence.isTooLong == isTooLong)
  }

  @Test("A silence without a limit never ends")
  func unlimited() {
    var silence = Silence(limit: nil, since: Self.at(0))
    silence.note(hasOutput: false, since: Self.at(100_000), now: Self.at(100_000))
    #expect(silence.deadline == nil)
    #expect(!silence.isTooLong)
  }
}
