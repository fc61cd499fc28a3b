import Channels
package import History
import Jobs
package import Posix
package import Spool
import Text

/// What happened in a run, or in a command that retires triggers: each event is counted, logged and recorded here and
/// nowhere else.
package final class RunLedger {
  package private(set) var statistics = RunStatistics()
  /// The triggers that this run cannot work on.
  package private(set) var deferred: Deferred
  /// Whether something went wrong that is not the failure of a job.
  package private(set) var hasFaults = false

  private let run: Int64?
  private let recorder: Recorder
  private let log: Log
  private let spool: SpoolDirectory
  private let watched: RunOptions.WatchedTrigger?
  private let reported: Set<FileName>

  /// - Parameters:
  ///   - run: the number of the run; nil for a command outside a run.
  ///   - deferred: the triggers that an earlier holding of the lock could not work on; they are not counted again.
  package init(
    run: Int64?, recorder: Recorder, log: Log, spool: SpoolDirectory, deferred: Deferred = Deferred(),
    reported: Set<FileName> = [], watched: RunOptions.WatchedTrigger? = nil
  ) {
    self.run = run
    self.recorder = recorder
    self.log = log
    self.spool = spool
    self.deferred = deferred
    self.reported = reported
    self.watched = watched
  }

  // MARK: Jobs

  func started(_ job: Job) {
    log.info(
      "job started",
      [
        "id": String(job.id), "channel": job.channel.name, "trigger": job.trigger?.description,
        "user": job.user,
      ])
  }

  func channelIsDue() { statistics.channels.total += 1 }

  /// A scheduled job ended. Returns when the record is durable.
  func finished(_ record: HistoryRecord) throws(SystemError) {
    noteEnd(of: record)
    try recorder.add(.init(record: record))
    try recorder.flush()
    statistics.warnings += record.warnings
    if record.outcome == .succeeded {
      statistics.channels.succeeded += 1
    } else {
      statistics.channels.failed += 1
    }
  }

  /// A trigger's job ended.
  func finished(_ record: HistoryRecord, _ claimed: ClaimedTrigger) throws(SystemError) {
    warn(of: claimed.trigger)
    noteEnd(of: record)
    try close(claimed.claim, record, content: claimed.trigger.bytes)
  }

  /// A trigger's job was stopped together with the batch. Returns when the record is durable; the trigger is put back
  /// after that.
  func interrupted(_ record: HistoryRecord) throws(SystemError) {
    noteEnd(of: record)
    try recorder.add(.init(record: record))
    try recorder.flush()
  }

  func requeued(_ claim: Claim) { log.info("trigger put back", ["trigger": claim.trigger.description]) }

  /// A scheduled job was not started.
  ///
  /// - Parameter isFault: something is wrong with the set-up, so the channel counts as failed, not as skipped.
  func skipped(_ channel: Channel, id: Int64, run: Int64, reason: String, isFault: Bool) throws(SystemError) {
    hasFaults = hasFaults || isFault
    if isFault { statistics.channels.failed += 1 } else { statistics.channels.skipped += 1 }
    log.warning("channel skipped: \(reason)", ["channel": channel.name])
    try recorder.add(
      .init(record: .skipped(id: id, run: run, channel, isFault ? .failed : .skipped, reason: reason)))
  }

  // MARK: Triggers without a job

  /// Claimed → failed: the trigger names a channel that does not exist or is disabled.
  func failed(_ claimed: ClaimedTrigger, _ channel: Channel?, reason: String) throws(SystemError) {
    warn(of: claimed.trigger)
    log.error("trigger failed: \(reason)", ["trigger": claimed.trigger.name.description])
    let record = HistoryRecord.unrun(
      claimed.claim, .failed, run: run, reason: reason, uid: claimed.trigger.file.owner,
      trigger: claimed.trigger, channel: channel)
    try close(claimed.claim, record, content: claimed.trigger.bytes)
  }

  /// Claimed → expired, rejected or cancelled.
  func retired(_ claim: Claim, _ file: FileStatus, _ retirement: Retirement) throws(SystemError) {
    let trigger = claim.trigger.description
    let target = spool.root.path(of: retirement.outcome.folder.name)
    switch retirement {
    case .expired(let request, let channel, let age, let limit, _):
      log.warning(
        "trigger expired",
        [
          "trigger": trigger, "timestamp": request.requestedAt.rfc3339(), "age": age.brief,
          "limit": limit?.brief, "arrived": request.lateArrival?.rfc3339(),
          "remedy": Verdict.expiryRemedy(request, channel), "moved_to": target,
        ])
    case .rejected(let reason):
      log.warning("file rejected: \(reason.text)", ["trigger": trigger, "moved_to": target])
    case .cancelled: log.info("trigger cancelled", ["trigger": trigger])
    }
    let record = HistoryRecord.unrun(
      claim, retirement.outcome, run: run, reason: retirement.reason, uid: file.owner,
      trigger: retirement.trigger, channel: retirement.channel)
    count(record)
    try recorder.add(.init(record: record, claim: claim))
  }

  // MARK: Recovery

  /// Claimed by a killed run → where the outcome leads, without a job of this run.
  func recovered(
    _ claim: Claim, _ outcome: Outcome, reason: String, uid: UInt32?, trigger: Trigger? = nil,
    channel: Channel? = nil, attempt: Int? = nil
  ) throws(SystemError) {
    log.warning(
      "recovered: \(reason)", ["trigger": claim.trigger.description, "outcome": outcome.rawValue])
    let record = HistoryRecord.unrun(
      claim, outcome, run: run, reason: reason, uid: uid, trigger: trigger, channel: channel, attempt: attempt
    )
    try close(claim, record, content: trigger?.bytes ?? [])
  }

  /// A claim whose record is in the history already.
  func alreadyRecorded(_ claim: Claim) {
    log.info("recovered: already recorded", ["id": String(claim.id), "trigger": claim.trigger.description])
  }

  /// Recorded → where the record's outcome leads.
  func complete(_ claim: Claim, _ record: HistoryRecord, content: [UInt8]) throws(SystemError) {
    try recorder.add(.init(record: record, isRecorded: true, claim: claim, content: content))
  }

  func willRetry(_ claim: Claim, _ channel: Channel) {
    var attempt: Int?
    let event: String
    switch claim.name.state {
    case .attempt(let number):
      attempt = number
      event = "the job was cut short and will be run again"
    case .stopping, .expired, .rejected, .cancelled, .waiting:
      event = "the batch was stopped, and killed before its job had ended; the job will be run again"
    }
    log.warning(
      "recovered: \(event)",
      [
        "trigger": claim.trigger.description, "channel": channel.name,
        "attempt": attempt.map { String($0) },
      ])
  }

  /// A scheduled job during which an earlier run was killed. Returns when the record is durable.
  func recovered(_ job: HolderNote.Job, run: Int64, channel: Channel?) throws(SystemError) {
    log.warning(
      "recovered: the batch was killed while this channel's scheduled job ran; it comes last in this run",
      ["id": String(job.id), "channel": job.channel])
    try recorder.add(.init(record: .interrupted(job, run: run, channel: channel)))
    try recorder.flush()
  }

  func foundForeign(_ path: String) { log.warning("not a claim, left where it is", ["path": path]) }

  // MARK: Triggers that stay

  /// A pending trigger that this run cannot work on stays for a later run.
  func deferPending(_ name: FileName, reason: String, isFault: Bool) {
    hasFaults = hasFaults || isFault
    if isFault, let watched, watched.name == name { watched.onFault(reason) }
    guard deferred.pending.insert(name).inserted else { return }
    statistics.triggers.deferred += 1
    guard !isReported(name) else { return }
    log.warning("trigger left pending: \(reason)", ["trigger": name.description])
  }

  /// A file that the batch's user may not read stays pending until they may, or until it expires.
  func deferUnreadable(_ trigger: Trigger, reason: String) {
    let path = spool.root.path(of: trigger.name)
    deferPending(trigger.name, reason: "\(reason); let it be read: chmod a+r '\(path)'", isFault: false)
  }

  /// Whether an earlier run of this process has reported that a trigger was left pending.
  func isReported(_ name: FileName) -> Bool { reported.contains(name) }

  /// A trigger that a killed run has claimed stays claimed for a later run. Another trigger of its name may be pending,
  /// and is not held up.
  func deferClaimed(_ name: FileName, reason: String, isFault: Bool) {
    hasFaults = hasFaults || isFault
    guard deferred.claimed.insert(name).inserted else { return }
    statistics.triggers.deferred += 1
    log.warning("trigger left claimed: \(reason)", ["trigger": name.description])
  }

  func leftWaiting(_ claim: Claim) {
    log.warning(
      "trigger waits for the next run: a newer trigger has its name", ["trigger": claim.trigger.description])
  }

  // MARK: The run

  func runStarted(_ run: Int64) { log.info("run started", ["run": String(run)]) }

  /// The run itself ended. Returns when its record is durable.
  func runFinished(
    _ run: Int64, id: Int64, startedAt: Timestamp, duration: Duration, wasStopped: Bool
  ) throws(SystemError) {
    statistics.historyMended = recorder.mended
    if statistics.historyMended > 0 {
      log.warning("a torn last line of the history was ended with a newline")
    }
    let hasFailures = statistics.channels.failed + statistics.triggers.failed > 0 || hasFaults
    let outcome: Outcome = wasStopped ? .interrupted : hasFailures ? .failed : .succeeded
    try recorder.add(
      .init(
        record: .run(
          run, id: id, startedAt: startedAt, duration: duration, outcome: outcome, statistics: statistics)))
    try recorder.flush()
  }

  /// Throws when a record could not be made durable: the caller must then start nothing more.
  func check() throws(SystemError) { try recorder.check() }

  /// Waits until all records are durable and their claims are finished.
  func flush() throws(SystemError) { try recorder.flush() }

  // MARK: Private

  /// Counts a trigger's outcome, hands its record and claim to the recorder, and tells the caller that waits for it.
  private func close(_ claim: Claim, _ record: HistoryRecord, content: [UInt8]) throws(SystemError) {
    count(record)
    try recorder.add(.init(record: record, claim: claim, content: content))
    if let watched, claim.trigger == watched.name {
      try recorder.flush()
      watched.onRecorded(record)
    }
  }

  private func warn(of trigger: Trigger) {
    for warning in trigger.warnings { log.warning(warning, ["trigger": trigger.name.description]) }
  }

  private func count(_ record: HistoryRecord) {
    statistics.warnings += record.warnings
    switch record.outcome {
    case .succeeded: statistics.triggers.succeeded += 1
    case .failed, .timedOut, .interrupted, .skipped: statistics.triggers.failed += 1
    case .expired: statistics.triggers.expired += 1
    case .rejected: statistics.triggers.rejected += 1
    case .cancelled: break
    }
  }

  private func noteEnd(of record: HistoryRecord) {
    statistics.videosDownloaded += record.videosDownloaded ?? 0
    var fields: KeyValuePairs<String, String?> {
      [
        "id": String(record.id), "channel": record.channel, "trigger": record.trigger?.description,
        "outcome": record.outcome.rawValue, "items": record.videosDownloaded.map { String($0) },
        "warnings": record.warnings == 0 ? nil : String(record.warnings), "duration": record.duration?.brief,
        "error": record.errorMessage,
      ]
    }
    switch record.outcome {
    case .succeeded: log.info("job ended", fields)
    case .interrupted: log.warning("job ended", fields)
    case .failed, .timedOut, .expired, .rejected, .cancelled, .skipped: log.error("job ended", fields)
    }
  }
}
