import Channels
import Posix
import Spool

extension Run {
  /// Runs the enabled channels of which `isWanted` is true, in the order of the configuration. One that fails keeps none
  /// of the others from its turn.
  func runChannels(_ isWanted: (Channel) -> Bool) throws(SystemError) {
    for channel in batch.configuration.channels where channel.enabled && isWanted(channel) {
      if isStopping { return }
      statistics.channels.total += 1
      try requireIntegrity()
      let jobID = try ids.next()
      let record: HistoryRecord
      switch try lockChannel(channel) {
      case .unavailable(let reason, let isFault):
        try skip(channel, id: jobID, isFault ? .failed : .skipped, reason)
        continue
      case .locked(let channelLock):
        let job = Job(
          id: jobID, run: id, kind: .scheduled, channel: channel, trigger: nil, user: nil, firstAttempt: 1)
        switch try execute(job, holding: channelLock) {
        case .ended(let ended): record = ended
        case .notStarted(let shortage): throw shortage
        }
      }
      try recorder.add(.init(record: record))
      try recorder.flush()
      note(nil)
      if record.outcome == .succeeded {
        statistics.channels.succeeded += 1
      } else {
        statistics.channels.failed += 1
      }
    }
  }

  private func skip(
    _ channel: Channel, id jobID: Int64, _ outcome: Outcome, _ reason: String
  ) throws(SystemError) {
    if outcome == .skipped { statistics.channels.skipped += 1 } else { statistics.channels.failed += 1 }
    batch.log.warning("channel skipped: \(reason)", ["channel": channel.name])
    var record = HistoryRecord(id: jobID, run: id, kind: .scheduled, outcome: outcome, finishedAt: .now())
    record.channelID = Int64(channel.id)
    record.channel = channel.name
    record.errorMessage = reason
    try recorder.add(.init(record: record))
  }
}
