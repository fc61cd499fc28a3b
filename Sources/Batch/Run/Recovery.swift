import Channels
import History
import Posix
import Spool

/// Finishes the claims that killed runs left in `running/`.
///
/// A claim whose record is in the history was cut short while it was being put away: that is completed. A claim without
/// a record was cut short while its job ran: the job is run again when its name's turn in the order comes, or failed as
/// interrupted when it must not be run again, or when its record may be out of reach. Claims of living processes of this host are left alone.
struct Recovery {
  /// A result holds a trigger of at most 64 KiB, each byte of it escaped in the worst case.
  private static let documentLimit = 1 << 20

  private let context: RunContext

  init(_ context: RunContext) { self.context = context }

  func perform() throws(SystemError) -> Recovered {
    let abandoned = try AbandonedClaims(
      in: context.store[.running], observer: context.instance.owner, isForRecovery: true)
    for path in abandoned.foreign { context.ledger.foundForeign(path) }
    // Before anything is recorded: the history that is made for that is newer than the claims.
    let search = abandoned.claims.isEmpty ? nil : try RecordSearch(of: abandoned.claims, in: context.store)
    var recovered = Recovered(interruptedChannel: try recoverScheduledJob())
    recovered.claims = abandoned.claims
    guard let search else { return recovered }
    for claim in abandoned.claims {
      let isOutOfReach = search.outOfReach.contains(claim.name)
      var record = search.records[claim.name]
      if record == nil, isOutOfReach { record = try published(claim) }
      if let record {
        try complete(claim, record)
      } else if let retry = try recover(claim, isOutOfReach: isOutOfReach) {
        recovered.retries.append(retry)
      }
    }
    try context.ledger.flush()
    return recovered
  }

  /// Records a scheduled job during which the previous run was killed. The job is not repeated because of that: the
  /// schedule starts it again.
  ///
  /// - Returns: the name of its channel, if that is configured and the job was not recorded before.
  private func recoverScheduledJob() throws(SystemError) -> String? {
    guard let job = context.lock.interruptedJob else { return nil }
    var channel: Channel?
    if job.trigger == nil, (1...ClaimName.idLimit).contains(job.id), try !isRecorded(job) {
      channel = context.instance.configuration.channel(name: job.channel)
      try context.ledger.recovered(job, run: context.id, channel: channel)
    }
    // Until now the note in the lock file has kept the job.
    context.lock.note(job: nil)
    return channel?.name
  }

  private func isRecorded(_ job: HolderNote.Job) throws(SystemError) -> Bool {
    let begin = Timestamp(rfc3339: job.startedAt).map { $0 + (.zero - Instance.clockTolerance) }
    var isFound = false
    try HistoryReader.forEachLineNewestFirst(in: context.store.root) { line in
      guard let record = HistoryReader.record(line) else { return true }
      isFound = record.id == job.id
      return !isFound && begin.map { record.finishedAt > $0 } ?? true
    }
    return isFound
  }

  /// The record in a claim's result: it is published when the record is durable, and before the claim is removed.
  private func published(_ claim: Claim) throws(SystemError) -> HistoryRecord? {
    for folder in SpoolFolder.results {
      guard try context.store[folder].status(of: claim.trigger)?.kind == .regular,
        let file = try context.store[folder].openIfPresent(claim.trigger),
        let record = ResultDocument.record(try file.readAll(limit: Self.documentLimit)),
        let trigger = record.trigger, claim.name.isOf(id: record.id, trigger: trigger)
      else { continue }
      return record
    }
    return nil
  }

  /// Recorded → done, failed, expired, rejected or cancelled; or pending again, when the record says so.
  private func complete(_ claim: Claim, _ record: HistoryRecord) throws(SystemError) {
    context.ledger.alreadyRecorded(claim)
    if record.isRequeued { return try context.waiting.putBack(claim) }
    let content: [UInt8] = if case .settled(let trigger, _) = try inspect(claim) { trigger.bytes } else { [] }
    try context.ledger.complete(claim.of(trigger: record.trigger ?? claim.trigger), record, content: content)
  }

  private func inspect(_ claim: Claim) throws(SystemError) -> Inspection {
    try Inspector(
      claim.folder, context.instance.configuration.settleRules, isForClaims: true,
      leases: context.store.leases
    ).inspect(claim.file, of: claim.trigger, now: .now())
  }

  /// A claim without a record.
  ///
  /// - Parameter isOutOfReach: it may have a record that cannot be found or read.
  /// - Returns: the trigger, if its job is to be run again.
  private func recover(_ claim: Claim, isOutOfReach: Bool) throws(SystemError) -> ClaimedTrigger? {
    switch claim.name.state {
    case .expired: try retire(claim, .expired, "expired; recorded by a later run after a crash")
    case .cancelled: try retire(claim, .cancelled, "cancelled; recorded by a later run after a crash")
    case .rejected: try retire(claim, .rejected, try rejectReason(of: claim))
    case .waiting: try context.waiting.putBack(claim)
    case .attempt(let attempt): return try recoverJob(claim, attempt, isOutOfReach)
    // An attempt that the batch itself cut short has not begun, as far as `max_attempts` is concerned.
    case .stopping(let attempt): return try recoverJob(claim, attempt - 1, isOutOfReach)
    }
    return nil
  }

  private func retire(_ claim: Claim, _ outcome: Outcome, _ reason: String) throws(SystemError) {
    try context.ledger.recovered(
      claim, outcome, reason: reason, uid: try claim.folder.status(of: claim.file)?.owner)
  }

  /// Why a file was being rejected when the run was killed before it recorded the rejection.
  private func rejectReason(of claim: Claim) throws(SystemError) -> String {
    if case .reject(let reason, _, _) = context.claimedTriage.verdict(on: try inspect(claim)) {
      return reason.text
    }
    return "rejected; recorded by a later run after a crash"
  }

  /// A job that was cut short before, while or after it ran: which of the three nobody can know.
  private func recoverJob(
    _ claim: Claim, _ attempt: Int, _ isOutOfReach: Bool
  ) throws(SystemError) -> ClaimedTrigger? {
    switch context.claimedTriage.verdict(on: try inspect(claim)) {
    case .gone, .expire: return nil
    case .reject(let reason, _, _):
      try retire(claim, .rejected, reason.text)
      return nil
    case .unsettled, .unreadable:
      // The trigger was claimed while somebody wrote to the file, so its job never began.
      try context.waiting.putBack(claim)
      return nil
    case .fail(let trigger, _, _):
      // The channel was available at the claim. The reason why it is not available now is reported in the order of
      // names.
      return ClaimedTrigger(claim: claim, trigger: trigger, attempt: attempt)
    case .run(let trigger, let channel):
      let claimed = ClaimedTrigger(claim: claim, trigger: trigger, attempt: attempt)
      return try isToBeRepeated(claimed, channel, isOutOfReach) ? claimed : nil
    }
  }

  /// Whether a job that was cut short is run again. If not, it was recorded, or left for a later run.
  private func isToBeRepeated(
    _ claimed: ClaimedTrigger, _ channel: Channel, _ isOutOfReach: Bool
  ) throws(SystemError) -> Bool {
    let (claim, attempt) = (claimed.claim, claimed.attempt)
    switch try context.channelLocks.acquire(channel) {
    case .unavailable(let reason, let isFault):
      context.ledger.deferClaimed(claim.trigger, reason: reason, isFault: isFault)
      return false
    case .locked: break
    }
    if channel.rerun, !isOutOfReach, attempt < context.instance.configuration.maxAttempts {
      context.ledger.willRetry(claim, channel)
      return true
    }
    let reason =
      if !channel.rerun {
        "cut short by a crash of the batch; \"rerun\" is false"
      } else if isOutOfReach {
        "cut short by a crash of the batch; whether it had ended cannot be known: the history of that time was moved,"
          + " compressed or removed (see etc/logrotate.d/bobbin)"
      } else {
        "cut short by a crash of the batch \(attempt) times"
      }
    try context.ledger.recovered(
      claim, .interrupted, reason: reason, uid: try claim.folder.status(of: claim.file)?.owner,
      trigger: claimed.trigger, channel: channel, attempt: max(1, attempt))
    return false
  }
}
