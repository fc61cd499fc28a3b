package import Spool

/// How a job, or a trigger that was not run, ended: the word in the history.
package enum Outcome: String, Sendable, Codable, CaseIterable {
  case succeeded, failed
  case timedOut = "timed_out"
  case interrupted, expired, rejected, cancelled, skipped

  /// The folder in which a trigger with this outcome ends.
  package var folder: SpoolFolder {
    switch self {
    case .succeeded: .done
    case .failed, .timedOut, .interrupted, .skipped: .failed
    case .expired: .expired
    case .rejected: .rejected
    case .cancelled: .cancelled
    }
  }

  /// What a claim is called while a trigger is retired with this outcome; nil for the outcome of a job, whose claim is
  /// called by its attempt.
  package var claimState: ClaimState? {
    switch self {
    case .expired: .expired
    case .rejected: .rejected
    case .cancelled: .cancelled
    case .succeeded, .failed, .timedOut, .interrupted, .skipped: nil
    }
  }
}
