package import Posix

/// Whether a channel's scheduled job is due, and when it is.
package enum Due: Sendable, Equatable {
  /// Since a moment; nil for a channel that is due at each run.
  case now(since: Timestamp?)
  /// Later.
  case at(Timestamp, isResting: Bool)
  /// Its schedule has no moment within the next decades.
  case never

  var isNow: Bool {
    if case .now = self { true } else { false }
  }

  /// When it is due next, in the past if it is due; nil for a channel that is due at each run, and for never.
  package var time: Timestamp? {
    switch self {
    case .now(let time): time
    case .at(let time, _): time
    case .never: nil
    }
  }

  /// Why a run does not take the channel; nil when it does.
  var reason: String? {
    switch self {
    case .now: nil
    case .at(let time, let isResting):
      isResting ? "rests after failures until \(time.rfc3339())" : "due at \(time.rfc3339())"
    case .never: "its schedule has no moment in the next 41 years"
    }
  }

  /// For a column of a table.
  package var text: String {
    switch self {
    case .now(since: nil): "each run"
    case .now: "due now"
    case .at(let time, _): time.rfc3339()
    case .never: "never"
    }
  }
}
