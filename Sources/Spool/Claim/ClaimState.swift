/// What a claim is for: the middle part of its name.
package enum ClaimState: Sendable, Hashable {
  /// The n-th attempt to run the job has begun, or is about to begin.
  case attempt(Int)
  /// The trigger leaves the spool without being run.
  case expired, rejected, cancelled
  /// The trigger goes back into the spool as soon as the newer file that has its name is gone.
  case waiting

  var text: String {
    switch self {
    case .attempt(let number): String(number)
    case .expired: "expired"
    case .rejected: "rejected"
    case .cancelled: "cancelled"
    case .waiting: "waiting"
    }
  }

  init?(_ text: Substring) {
    switch text {
    case "expired": self = .expired
    case "rejected": self = .rejected
    case "cancelled": self = .cancelled
    case "waiting": self = .waiting
    default:
      guard let number = Int(text), number > 0 else { return nil }
      self = .attempt(number)
    }
  }
}
