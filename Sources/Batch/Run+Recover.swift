import Channels
import Posix
import Spool

extension Run {
  /// Finishes what runs that crashed left in `running/`.
  ///
  /// A claim whose record is in the history was cut short while it was being put away: that is completed. A claim
  /// without a record was cut short while its job ran: the job is run again when its turn comes, or failed as
  /// interrupted when it must not be. What a living process of this host has claimed is left alone.
  func recover() throws(SystemError) {
    try recoverScheduled()
    let abandoned = try AbandonedClaims(in: store[.running], observer: batch.owner, isForRecovery: true)
    for path in abandoned.foreign {
      batch.log.warning("not a claim, left where it is", ["path": path])
    }
    self.abandoned = abandoned.claims
    if abandoned.claims.isEmpty { return }
    let records = try records(of: abandoned.claims)
    for claim in abandoned.claims {
      if let record = records[claim.name] {
        try complete(claim, record)
      } else {
        try recoverUnrecorded(claim)
      }
    }
    try recorder.flush()
  }

  /// Records a scheduled job that the run before was killed in. It is not repeated for that: its time comes again.
  private func recoverScheduled() throws(SystemError) {
    guard let job = interruptedJob else { return }
    if job.trigger == nil, (1...ClaimName.idLimit).contains(job.id), try !isRecorded(job.id) {
      try recordInterrupted(job)
    }
    // The lock's note has kept it until here.
    note(nil)
  }

  private func recordInterrupted(_ job: HolderNote.Job) throws(SystemError) {
    let channel = batch.configuration.channel(name: job.channel)
    interruptedChannel = channel?.name
    var record = HistoryRecord(
      id: job.id, run: id, kind: .scheduled, outcome: .interrupted, finishedAt: .now())
    record.channelID = channel.map { Int64($0.id) }
    record.channel = job.channel
    record.startedAt = Timestamp(rfc3339: job.startedAt)
    record.errorMessage = "cut short by a crash of the batch"
    batch.log.warning(
      "recovered: the batch was killed while this channel's scheduled job ran; it comes last in this run",
      ["id": String(job.id), "channel": job.channel])
    try recorder.add(.init(record: record))
    try recorder.flush()
  }

  private func isRecorded(_ id: Int64) throws(SystemError) -> Bool {
    var isFound = false
    for name in [HistoryFile.name, HistoryFile.rotatedName] where try store.owns(name) {
      try HistoryReader.forEachLineFromEnd(name, in: store.root) { line in
        isFound = isFound || HistoryReader.id(line) == id
        return !isFound
      }
    }
    return isFound
  }

  /// The records of claims, from the history and from the one that was rotated away last. Claims are removed because of
  /// what is found here, so it is made durable first.
  private func records(of claims: [Claim]) throws(SystemError) -> [ClaimName: HistoryRecord] {
    // With locking broken, two processes may have given out one id: the trigger tells whose record it is.
    let wanted = Dictionary(grouping: claims.map(\.name), by: \.id)
    var records: [ClaimName: HistoryRecord] = [:]
    // The current one first: a rotation between the two shows its records twice, not never.
    for name in [HistoryFile.name, HistoryFile.rotatedName] where try store.owns(name) {
      var offset: Int64 = 0
      var first: Int64?
      try HistoryReader.forEachLine(name, in: store.root) { line in
        defer { offset += Int64(line.count) + 1 }
        guard let id = HistoryReader.id(line), let names = wanted[id],
          let record = HistoryReader.record(line), let trigger = record.trigger
        else { return }
        for name in names where name.isOf(id: record.id, trigger: trigger) {
          records[name] = records[name] ?? record
        }
        first = first ?? offset
      }
      if let first { try HistoryFile.confirm(name, from: first, in: store) }
    }
    return records
  }

  /// Recorded → done, failed, expired, rejected or cancelled; or pending again, when the record says so.
  private func complete(_ claim: Claim, _ record: HistoryRecord) throws(SystemError) {
    batch.log.info(
      "recovered: already recorded", ["id": String(claim.id), "trigger": claim.trigger.description])
    if record.isRequeued { return try putBack(claim) }
    let trigger = record.trigger ?? claim.trigger
    let content: [UInt8] =
      if case .settled(let read) = try inspect(claim) { read.bytes } else { [] }
    try recorder.add(
      .init(
        record: record, isRecorded: true,
        claim: Claim(
          name: ClaimName(id: claim.id, state: claim.name.state, trigger: trigger), folder: claim.folder),
        content: content))
  }

  private func inspect(_ claim: Claim) throws(SystemError) -> Inspection {
    try Inspector(claim.folder, settle: batch.configuration.settle, isForClaims: true)
      .inspect(claim.file, of: claim.trigger, now: .now())
  }

  private func recoverUnrecorded(_ claim: Claim) throws(SystemError) {
    switch claim.name.state {
    case .expired: try settle(claim, .expired, "expired; recorded by a later run after a crash")
    case .cancelled: try settle(claim, .cancelled, "cancelled; recorded by a later run after a crash")
    case .rejected: try settle(claim, .rejected, try rejectReason(of: claim))
    case .waiting: try putBack(claim)
    case .attempt(let attempt): try recoverJob(claim, attempt)
    }
  }

  /// Why a file was being rejected when a crash came before its record.
  private func rejectReason(of claim: Claim) throws(SystemError) -> String {
    switch try inspect(claim) {
    case .odd(let reason, _): return reason.text
    case .settled(let trigger):
      if case .failure(let reason) = trigger.channels { return reason.text }
    case .vanished, .unsettled: break
    }
    return "rejected; recorded by a later run after a crash"
  }

  /// A job that was cut short, before, while or after it ran: nobody can know.
  private func recoverJob(_ claim: Claim, _ attempt: Int) throws(SystemError) {
    let trigger: Trigger
    switch try inspect(claim) {
    case .vanished: return
    case .odd(let reason, _): return try settle(claim, .rejected, reason.text)
    case .unsettled:
      // Claimed at the very moment in which somebody wrote to it, so its job never began.
      return try putBack(claim)
    case .settled(let settled): trigger = settled
    }
    guard case .success(let references) = trigger.channels,
      case .found(let channel) = batch.resolve(references)
    else {
      // It was a trigger for a channel when it was claimed. Why it is none any more is said when its turn comes.
      recovered.append((claim, trigger))
      return
    }
    switch try lockChannel(channel) {
    case .unavailable(let reason, _): return leaveClaimed(claim.trigger, because: reason)
    case .locked: break
    }
    let limit = batch.configuration.maxAttempts
    if channel.rerun, attempt < limit {
      batch.log.warning(
        "recovered: the job was cut short and will be run again",
        ["trigger": claim.trigger.description, "channel": channel.name, "attempt": String(attempt)])
      recovered.append((claim, trigger))
      return
    }
    let reason =
      channel.rerun
      ? "cut short by a crash of the batch \(attempt) times"
      : "cut short by a crash of the batch; \"rerun\" is false"
    try settle(claim, .interrupted, reason, trigger: trigger, channel: channel, attempt: attempt)
  }

  /// Claimed by a dead run → recorded → where the outcome leads.
  private func settle(
    _ claim: Claim, _ outcome: Outcome, _ reason: String, trigger: Trigger? = nil, channel: Channel? = nil,
    attempt: Int? = nil
  ) throws(SystemError) {
    var record = HistoryRecord(id: claim.id, run: id, kind: .manual, outcome: outcome, finishedAt: .now())
    record.trigger = claim.trigger
    record.channelID = channel.map { Int64($0.id) }
    record.channel = channel?.name
    record.user = trigger?.user
    record.uid = try claim.folder.status(of: claim.file)?.owner
    record.requestedAt = trigger?.requestedAt
    record.attempt = attempt
    record.errorMessage = reason
    switch outcome {
    case .expired: statistics.triggers.expired += 1
    case .rejected: statistics.triggers.rejected += 1
    case .cancelled: break
    default: statistics.triggers.failed += 1
    }
    batch.log.warning(
      "recovered: \(reason)", ["trigger": claim.trigger.description, "outcome": outcome.rawValue])
    try add(record, claim, content: trigger?.bytes ?? [])
  }
}
