import Posix

/// What the end of one attempt and the lines that it wrote mean together: decided here and nowhere else.
struct AttemptOutcome: Equatable {
  let outcome: JobOutcome
  /// How many errors were tolerated; 0 unless the attempt succeeded.
  var warnings = 0
  /// Whether the attempt failed in a way that may pass.
  var isTransient = false

  /// EX_TEMPFAIL of sysexits.h: "try again later".
  private static let temporaryFailure: Int32 = 75

  /// A line that means failure outweighs the exit status. Otherwise a status in `success` is a success, whatever error
  /// lines there are. Otherwise the attempt has succeeded if it has reported errors and all of them are tolerated, even
  /// with status 75; a program that a signal ended has not come to its end, and has failed.
  init(_ ending: Supervision.Ending, _ matches: OutputMatches, success: [Int32]) {
    switch ending {
    case .timedOut: outcome = .timedOut
    case .stalled:
      outcome = .failed
      isTransient = true
    case .interrupted: outcome = .interrupted
    case .exited(.status(let status)) where Self.succeeded(status, matches, success):
      outcome = .succeeded
      warnings = matches.tolerated
    case .exited(let exit):
      outcome = .failed
      isTransient = matches.isTransient || exit == .status(Self.temporaryFailure)
    }
  }

  private static func succeeded(_ status: Int32, _ matches: OutputMatches, _ success: [Int32]) -> Bool {
    if matches.isFailure { return false }
    return success.contains(status) || (matches.tolerated > 0 && matches.errors == 0)
  }
}
