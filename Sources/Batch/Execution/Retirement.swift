package import Channels
import History
package import Spool

/// Why a trigger leaves the spool without being run.
package enum Retirement: Sendable {
  /// The request is older than `limit`. `since` completes "31m4s …" and says what the age was judged against.
  case expired(Trigger, Channel?, age: Duration, limit: Duration?, since: String)
  case rejected(RejectReason)
  /// Somebody asked for it. The trigger, if the file could be read, and its channel.
  case cancelled(Trigger?, Channel?)

  var outcome: Outcome {
    switch self {
    case .expired: .expired
    case .rejected: .rejected
    case .cancelled: .cancelled
    }
  }

  /// The state in the claim's name while the trigger is being retired.
  var claimState: ClaimState {
    switch self {
    case .expired: .expired
    case .rejected: .rejected
    case .cancelled: .cancelled
    }
  }

  /// The reason in the record.
  var reason: String {
    switch self {
    case .expired(let trigger, _, let age, _, let since):
      Verdict.expiryReason(trigger, age: age, since: since)
    case .rejected(let reason): reason.text
    case .cancelled: "cancelled"
    }
  }

  var trigger: Trigger? {
    switch self {
    case .expired(let trigger, _, _, _, _): trigger
    case .rejected: nil
    case .cancelled(let trigger, _): trigger
    }
  }

  var channel: Channel? {
    switch self {
    case .expired(_, let channel, _, _, _), .cancelled(_, let channel): channel
    case .rejected: nil
    }
  }
}
