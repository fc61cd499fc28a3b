import Posix
import Testing

@testable import Jobs

@Suite("The outcome of an attempt")
struct AttemptOutcomeTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let ending: Supervision.Ending
    var matches = OutputMatches()
    var success: [Int32] = [0]
    let outcome: JobOutcome
    var warnings = 0
    var isTransient = false

    var testDescription: String { "\(ending) \(matches) \(success)" }
  }

  private static let zero = Supervision.Ending.exited(.status(0))
  private static let one = Supervision.Ending.exited(.status(1))
  private static let later = Supervision.Ending.exited(.status(75))
  private static let crash = Supervision.Ending.exited(.signal(11))

  static let rows: [Row] = [
    // The exit status alone.
    Row(ending: zero, outcome: .succeeded),
    Row(ending: one, outcome: .failed),
    Row(ending: later, outcome: .failed, isTransient: true),
    Row(ending: crash, outcome: .failed),
    Row(ending: one, success: [0, 1], outcome: .succeeded),
    Row(ending: zero, success: [1], outcome: .failed),
    Row(ending: later, success: [0, 75], outcome: .succeeded),
    // A success whatever error lines there are; only what is tolerated is a warning.
    Row(ending: zero, matches: .init(tolerated: 1, errors: 2), outcome: .succeeded, warnings: 1),
    Row(ending: zero, matches: .init(isTransient: true), outcome: .succeeded),
    // Error lines that are tolerated, all or some of them.
    Row(ending: one, matches: .init(tolerated: 2), outcome: .succeeded, warnings: 2),
    Row(ending: one, matches: .init(tolerated: 2, errors: 1), outcome: .failed),
    Row(ending: one, matches: .init(errors: 1), outcome: .failed),
    Row(ending: later, matches: .init(tolerated: 1), outcome: .succeeded, warnings: 1),
    Row(ending: crash, matches: .init(tolerated: 1), outcome: .failed),
    Row(ending: one, matches: .init(tolerated: 1, isTransient: true), outcome: .succeeded, warnings: 1),
    // A line that means failure.
    Row(ending: zero, matches: .init(isFailure: true), outcome: .failed),
    Row(ending: one, matches: .init(isFailure: true), success: [0, 1], outcome: .failed),
    Row(ending: one, matches: .init(tolerated: 1, isFailure: true), outcome: .failed),
    Row(ending: crash, matches: .init(isFailure: true), outcome: .failed),
    Row(ending: later, matches: .init(isFailure: true), outcome: .failed, isTransient: true),
    Row(
      ending: zero, matches: .init(isFailure: true, isTransient: true), outcome: .failed, isTransient: true),
    // A failure that may pass.
    Row(ending: one, matches: .init(isTransient: true), outcome: .failed, isTransient: true),
    Row(ending: crash, matches: .init(isTransient: true), outcome: .failed, isTransient: true),
    Row(
      ending: one, matches: .init(tolerated: 1, errors: 1, isTransient: true), outcome: .failed,
      isTransient: true),
    // An end that Bobbin brought about is not judged by the output.
    Row(ending: .timedOut, matches: .init(tolerated: 1), outcome: .timedOut),
    Row(ending: .timedOut, matches: .init(isFailure: true, isTransient: true), outcome: .timedOut),
    Row(ending: .stalled, outcome: .failed, isTransient: true),
    Row(ending: .stalled, matches: .init(tolerated: 1), outcome: .failed, isTransient: true),
    Row(ending: .interrupted(15), matches: .init(tolerated: 1), outcome: .interrupted),
    Row(ending: .interrupted(15), matches: .init(isFailure: true, isTransient: true), outcome: .interrupted),
  ]

  @Test("The end, the lines and the exit statuses for success decide together", arguments: rows)
  func outcome(_ row: Row) {
    let outcome = AttemptOutcome(row.ending, row.matches, success: row.success)
    #expect(outcome.outcome == row.outcome)
    #expect(outcome.warnings == row.warnings)
    #expect(outcome.isTransient == row.isTransient)
  }
}
