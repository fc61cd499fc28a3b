package import Spool

/// How a job, or a trigger that was not run, ended: the word in the history.
package enum Outcome: String, Sendable, Codable, CaseIterable {
  case succeeded, failed
  case timedOut = "timed_out"
  case interrupted, expired, rejected, cancelled, skipped

  /// The folder in which a trigger with this outcome ends up.
  package var folder: SpoolFolder {
    switch self {
    case .succeeded: .done
    case .failed, .timedOut, .interrupted, .skipped: .failed
    case .expired: .expired
    case .rejected: .rejected
    case .cancelled: .cancelled
    }
  }

  /// The state in a claim's name while a trigger is retired with this outcome; nil for the outcome of a job, whose
  /// claim has the attempt in its name.
  package var claimState: ClaimState? {
    switch self {
    case .expired: .expired
    case .rejected: .rejected
    case .cancelled: .cancelled
    case .succeeded, .failed, .timedOut, .interrupted, .skipped: nil
    }
  }
}
