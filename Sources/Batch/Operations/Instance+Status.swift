import Channels
import History
package import Posix
import Spool

extension Instance {
  /// Reads the lock, the spool and the history; changes nothing and never waits.
  package func status() throws(SystemError) -> InstanceStatus {
    let lockFile = try lockFile()
    let isRunning = try lockFile.isHeld()
    var pending = 0
    try spool.root.forEachName { if TriggerName.isTrigger($0) { pending += 1 } }
    let channels = configuration.channels
    var last = LastOutcomes(
      enabled: channels.filter(\.enabled).map(\.id), disabled: channels.filter { !$0.enabled }.map(\.id))
    try HistoryReader.forEachLineNewestFirst(in: spool.root) { last.take($0) }
    let states = try ChannelStates(in: spool.root)
    let now = Timestamp.now()
    return InstanceStatus(
      isRunning: isRunning, holder: isRunning ? try lockFile.livingHolder(asSeenBy: owner) : nil,
      pending: pending, abandoned: try abandonedClaims().count, lastRun: last.run,
      channels: channels.map { channel in
        .init(
          id: channel.id, name: channel.name, isEnabled: channel.enabled, last: last.jobs[channel.id],
          due: channel.enabled ? states.due(channel, now: now, isRunning: isRunning) : nil)
      })
  }
}
