import Channels
import Posix
import Spool

/// One job inside a run: noted while it runs, and told of in the log.
extension Run {
  enum Execution {
    case ended(HistoryRecord)
    /// For want of something: the batch can't go on.
    case notStarted(SystemError)
  }

  /// Runs a job under the channel's lock, visible to `bobbin status`.
  ///
  /// - Throws: when the batch can't go on.
  func execute(_ job: Job, holding channelLock: borrowing FileLock) throws(SystemError) -> Execution {
    batch.log.info(
      "job started",
      [
        "id": String(job.id), "channel": job.channel.name, "trigger": job.trigger?.description,
        "user": job.user,
      ])
    let startedAt = Timestamp.now()
    func begun() -> HolderNote.Job {
      HolderNote.Job(
        id: job.id, channel: job.channel.name, trigger: job.trigger?.description,
        startedAt: startedAt.rfc3339(fractionDigits: 6))
    }
    // What a claim says of a trigger's job, only the note says of a scheduled one: that it has begun.
    var isNoted = job.kind == .scheduled
    if isNoted { note(begun()) }
    if let fullDisk { return .notStarted(fullDisk) }
    let result = try runner.run(job, holding: channelLock) {
      if !isNoted { self.note(begun()) }
      isNoted = true
    }
    // What only the note says is not forgotten before it is recorded.
    if isNoted, job.kind == .manual || result.shortage != nil { note(nil) }
    if let shortage = result.shortage { return .notStarted(shortage) }
    var record = HistoryRecord(
      id: job.id, run: id, kind: job.kind, outcome: result.outcome, finishedAt: result.finishedAt)
    record.channelID = Int64(job.channel.id)
    record.channel = job.channel.name
    record.trigger = job.trigger
    record.user = job.user
    record.startedAt = result.startedAt
    record.duration = result.duration
    record.attempt = result.attempt
    record.exitStatus = result.exitStatus
    record.signal = result.signal
    record.videosDownloaded = result.items
    record.errorMessage = result.errorMessage
    statistics.videosDownloaded += result.items
    logEnd(of: record)
    return .ended(record)
  }

  /// A note that can't be written stops nothing, unless that shows that the disk is full: then nothing more is started.
  func note(_ job: HolderNote.Job?) {
    do throws(SystemError) { try lock?.note(job: job) } catch {
      batch.log.warning("current job not noted: \(error)")
      if error.isDiskFull { fullDisk = fullDisk ?? error }
    }
  }

  private func logEnd(of record: HistoryRecord) {
    var fields: KeyValuePairs<String, String?> {
      [
        "id": String(record.id), "channel": record.channel, "trigger": record.trigger?.description,
        "outcome": record.outcome.rawValue, "items": record.videosDownloaded.map { String($0) },
        "duration": record.duration?.brief, "error": record.errorMessage,
      ]
    }
    switch record.outcome {
    case .succeeded: batch.log.info("job ended", fields)
    case .interrupted: batch.log.warning("job ended", fields)
    default: batch.log.error("job ended", fields)
    }
  }
}
