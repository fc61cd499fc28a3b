import Channels
import History
import Posix
import Spool

extension Instance {
  /// What is due now, as far as the spool's files tell. Changes nothing.
  ///
  /// A job that was begun, and whose end was not noted because the batch was killed, is looked up in the history.
  func dueChannels(asOf now: Timestamp) throws(SystemError) -> (due: DueChannels, isChanged: Bool) {
    let states = try ChannelStates(in: spool.root)
    if let fault = states.fault {
      log.warning("what is known of the channels' last starts is not believed: \(fault)")
    }
    var due = DueChannels(states, configuration, now: now)
    let isChanged = due.settle(try records(of: due.unfinished))
    return (due, isChanged)
  }

  private func records(
    of jobs: [(channel: Channel, job: Int64, startedAt: Timestamp)]
  ) throws(SystemError) -> [Int64: HistoryRecord] {
    guard let first = jobs.map(\.startedAt).min() else { return [:] }
    var missing = Set(jobs.map(\.job))
    var records: [Int64: HistoryRecord] = [:]
    try HistoryReader.forEachLineNewestFirst(in: spool.root) { line in
      guard let record = HistoryReader.record(line) else { return true }
      if missing.remove(record.id) != nil { records[record.id] = record }
      return !missing.isEmpty && record.finishedAt > first + (.zero - Self.clockTolerance)
    }
    return records
  }

  /// Whether a run would find nothing to do: no channel is due, no trigger is pending, nothing is to be recovered. Such a
  /// run is not made, so that a tick of cron writes nothing, and wakes no disk.
  ///
  /// - Returns: false also when another process holds the lock, or this user may not take it: the run tells.
  func isIdle(_ store: SpoolStore, _ options: RunOptions) throws(SystemError) -> Bool {
    let lockFile = try lockFile()
    guard try !lockFile.isHeld(), try !lockFile.hasNote(), try !hasPending(),
      try store[.running].names().isEmpty
    else { return false }
    if options.isSpoolOnly { return true }
    let states = try ChannelStates(in: spool.root)
    if options.takesAll || states.fault != nil { return !configuration.channels.contains(where: \.enabled) }
    return !DueChannels(states, configuration, now: .now()).needsRun
  }
}
