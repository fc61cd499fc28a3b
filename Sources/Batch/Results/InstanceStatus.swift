package import History
import Posix
package import Spool
package import Text

/// What is going on in a spool, as `bobbin status` shows it.
package struct InstanceStatus: Sendable {
  package struct ChannelStatus: Sendable {
    package let id: Int64
    package let name: String
    package let isEnabled: Bool
    /// The record of its last job; nil if the history does not hold it or, if the channel is disabled, does not hold it
    /// near the end.
    package let last: HistoryRecord?
    /// When a run takes it; nil when it is disabled.
    package let due: Due?
  }

  package let isRunning: Bool
  /// Nil when nothing runs, or when the holder left no note.
  package let holder: HolderNote?
  package let pending: Int
  /// The number of claims that killed processes left and that no run has recovered yet.
  package let abandoned: Int
  package let lastRun: HistoryRecord?
  package let channels: [ChannelStatus]

  package var json: JSONValue {
    .object([
      ("state", .string(isRunning ? "running" : "idle")), ("holder", holder?.json ?? .null),
      ("job", holder?.job?.json ?? .null), ("pending", .integer(pending)),
      ("abandoned", .integer(abandoned)),
      ("last_run", lastRun?.json ?? .null), ("channels", .array(channels.map(Self.json))),
    ])
  }

  private static func json(_ channel: ChannelStatus) -> JSONValue {
    .object([
      ("id", .integer(channel.id)), ("name", .string(channel.name)), ("enabled", .bool(channel.isEnabled)),
      ("next_at", .optional(channel.due?.time?.rfc3339())), ("last", channel.last?.json ?? .null),
    ])
  }
}
