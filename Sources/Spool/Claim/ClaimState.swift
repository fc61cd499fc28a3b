/// What a claim is for: the middle part of its name.
package enum ClaimState: Sendable, Hashable {
  /// The n-th attempt to run the job has begun, or is about to begin.
  case attempt(Int)
  /// The n-th attempt is being cut short because the batch is asked to stop. It does not count, also when the batch is
  /// killed before it has put the trigger back.
  case stopping(Int)
  /// The trigger leaves the spool without being run.
  case expired, rejected, cancelled
  /// The trigger goes back into the spool as soon as the newer file that has its name is gone.
  case waiting

  var text: String {
    switch self {
    case .attempt(let number): String(number)
    case .stopping(let number): "\(Self.stopping)\(number)"
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
      let isStopping = text.hasPrefix(Self.stopping)
      let digits = isStopping ? text.dropFirst(Self.stopping.count) : text
      guard let number = Int(digits), number > 0 else { return nil }
      self = isStopping ? .stopping(number) : .attempt(number)
    }
  }

  private static let stopping = "stop-"
}
