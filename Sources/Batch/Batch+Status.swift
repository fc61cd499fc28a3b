import Channels
package import Posix
package import Spool

/// What goes on in a spool, as `bobbin status` shows it.
package struct InstanceStatus: Sendable {
  package struct ChannelStatus: Sendable {
    package let id: Int
    package let name: String
    package let isEnabled: Bool
    /// The record of its last job; nil when the history holds none, or, of a disabled channel, none near its end.
    package let last: HistoryRecord?
  }

  package let isRunning: Bool
  /// Nil when nothing runs, or when the holder left no note.
  package let holder: HolderNote?
  package let pending: Int
  /// How many triggers killed processes left claimed, and no run has recovered yet.
  package let abandoned: Int
  package let lastRun: HistoryRecord?
  package let channels: [ChannelStatus]

  package var json: JSONValue {
    .object([
      ("state", .string(isRunning ? "running" : "idle")), ("holder", holder?.json ?? .null),
      ("job", holder?.job?.json ?? .null), ("pending", .integer(pending)),
      ("abandoned", .integer(abandoned)),
      ("last_run", lastRun?.json ?? .null),
      (
        "channels",
        .array(
          channels.map { channel in
            .object([
              ("id", .integer(channel.id)), ("name", .string(channel.name)),
              ("enabled", .bool(channel.isEnabled)),
              ("last", channel.last?.json ?? .null),
            ])
          })
      ),
    ])
  }
}

extension Instance {
  package func status() throws(SystemError) -> InstanceStatus {
    let place = try lockFile()
    let isRunning = try place.isHeld()
    var pending = 0
    try spool.root.forEachName { if TriggerName.isTrigger($0) { pending += 1 } }
    var last = LastOutcomes(of: configuration.channels)
    try HistoryReader.forEachLineNewestFirst(in: spool.root) { last.take($0) }
    return InstanceStatus(
      isRunning: isRunning, holder: isRunning ? try place.livingHolder(asSeenBy: owner) : nil,
      pending: pending, abandoned: try abandonedClaims().count,
      lastRun: last.run,
      channels: configuration.channels.map { channel in
        .init(
          id: channel.id, name: channel.name, isEnabled: channel.enabled, last: last.jobs[Int64(channel.id)])
      })
  }
}
