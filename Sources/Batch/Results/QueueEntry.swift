import Channels
package import Posix
import Spool
package import Text

/// A pending trigger, as `bobbin queue` shows it.
package struct QueueEntry: Sendable {
  package enum State: String, Sendable {
    /// Runs in the order of names.
    case ready
    /// May still be being written.
    case settling
    /// The batch's user may not read it.
    case unreadable
    /// Too old: the next run expires it.
    case stale
    /// Not a trigger: the next run rejects it.
    case invalid
    /// Names a channel that is not configured, or is disabled: the next run fails it.
    case unknown
  }

  /// 1-based.
  package let position: Int
  package let trigger: FileName
  package let channelID: Int64?
  package let channel: String?
  package let user: String?
  package let timestamp: Timestamp?
  package let age: Duration?
  package let state: State
  /// Why it will not be run; nil when it will.
  package let reason: String?

  /// - Parameter asOf: the time by which its age is judged.
  /// - Returns: nil when the file is gone.
  init?(position: Int, _ name: FileName, _ verdict: Verdict, asOf now: Timestamp) {
    let (trigger, channel): (Trigger?, Channel?)
    switch verdict {
    case .gone: return nil
    case .unsettled: (state, reason, trigger, channel) = (.settling, "may still be being written", nil, nil)
    case .unreadable(let unread, let why):
      (state, reason, trigger, channel) = (.unreadable, why, unread, nil)
    case .reject(let why, _, let read): (state, reason, trigger, channel) = (.invalid, why.text, read, nil)
    case .expire(let stale, let named, let age):
      let why = Verdict.expiryReason(stale, age: age, since: "ago")
      (state, reason, trigger, channel) = (.stale, why, stale, named)
    case .fail(let failing, let named, let why):
      (state, reason, trigger, channel) = (.unknown, why, failing, named)
    case .run(let ready, let named): (state, reason, trigger, channel) = (.ready, nil, ready, named)
    }
    self.position = position
    self.trigger = name
    channelID = channel?.id
    self.channel = channel?.name
    user = trigger?.user
    timestamp = trigger?.requestedAt
    age = trigger.map { now - $0.requestedAt }
  }

  package var json: JSONValue {
    .object([
      ("position", .integer(position)), ("trigger", .string(trigger.description)),
      ("channel_id", .optional(channelID)), ("channel", .optional(channel)), ("user", .optional(user)),
      ("timestamp", .optional(timestamp?.rfc3339(fractionDigits: 6))),
      ("age_s", age.map { .seconds($0) } ?? .null),
      ("state", .string(state.rawValue)), ("reason", .optional(reason)),
    ])
  }
}
