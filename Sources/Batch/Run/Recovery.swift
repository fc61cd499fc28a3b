import Channels
import History
import Posix
import Spool

/// Finishes the claims that killed runs left in `running/`.
///
/// If the history has a claim's record, the crash came while the claim was being finished: recovery completes that.
/// Otherwise the crash came while the job ran: the job is run again when its name's turn comes, or is failed as
/// interrupted if it must not be run again. Claims of living processes of this host are left alone.
struct Recovery {
  private let context: RunContext

  init(_ context: RunContext) { self.context = context }

  func perform() throws(SystemError) -> Recovered {
    var recovered = Recovered(interruptedChannel: try recoverScheduledJob())
    let abandoned = try AbandonedClaims(
      in: context.store[.running], observer: context.instance.owner, isForRecovery: true)
    for path in abandoned.foreign { context.ledger.foundForeign(path) }
    recovered.claims = abandoned.claims
    if abandoned.claims.isEmpty { return recovered }
    let records = try records(of: abandoned.claims)
    for claim in abandoned.claims {
      if let record = records[claim.name] {
        try complete(claim, record)
      } else if let retry = try recover(claim) {
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
    if job.trigger == nil, (1...ClaimName.idLimit).contains(job.id), try !isRecorded(job.id) {
      channel = context.instance.configuration.channel(name: job.channel)
      try context.ledger.recovered(job, run: context.id, channel: channel)
    }
    // Until now the note in the lock file has kept the job.
    context.lock.note(job: nil)
    return channel?.name
  }

  private func isRecorded(_ id: Int64) throws(SystemError) -> Bool {
    var isFound = false
    for name in try historyFiles() {
      try HistoryReader.forEachLineFromEnd(name, in: context.store.root) { line in
        // A torn line may begin with the id.
        isFound = HistoryReader.id(line) == id && HistoryReader.record(line) != nil
        return !isFound
      }
    }
    return isFound
  }

  /// The history and the file that was rotated away last, as far as they are trusted.
  ///
  /// The history comes first: if it is rotated between the two reads, its records are read twice, not missed.
  private func historyFiles() throws(SystemError) -> [FileName] {
    var names: [FileName] = []
    for name in [HistoryFile.name, HistoryFile.rotatedName] where try context.store.owns(name) {
      names.append(name)
    }
    return names
  }

  /// The records of claims. Claims are removed on the strength of these records, so the records are made durable first.
  private func records(of claims: [Claim]) throws(SystemError) -> [ClaimName: HistoryRecord] {
    // With locking broken, two processes may have given out the same id: the trigger tells whose record it is.
    let wanted = Dictionary(grouping: claims.map(\.name), by: \.id)
    var records: [ClaimName: HistoryRecord] = [:]
    for file in try historyFiles() {
      var offset: Int64 = 0
      var first: Int64?
      try HistoryReader.forEachLine(file, in: context.store.root) { line in
        defer { offset += Int64(line.count) + 1 }
        guard let id = HistoryReader.id(line), let names = wanted[id],
          let record = HistoryReader.record(line), let trigger = record.trigger
        else { return }
        for name in names where name.isOf(id: record.id, trigger: trigger) {
          records[name] = records[name] ?? record
        }
        first = first ?? offset
      }
      if let first { try HistoryFile.confirm(file, from: first, in: context.store) }
    }
    return records
  }

  /// Recorded → done, failed, expired, rejected or cancelled; or pending again, when the record says so.
  private func complete(_ claim: Claim, _ record: HistoryRecord) throws(SystemError) {
    context.ledger.alreadyRecorded(claim)
    if record.isRequeued { return try context.waiting.putBack(claim) }
    let content: [UInt8] = if case .settled(let trigger, _) = try inspect(claim) { trigger.bytes } else { [] }
    try context.ledger.complete(claim.of(trigger: record.trigger ?? claim.trigger), record, content: content)
  }

  private func inspect(_ claim: Claim) throws(SystemError) -> Inspection {
    try Inspector(claim.folder, context.instance.configuration.settleRules, isForClaims: true)
      .inspect(claim.file, of: claim.trigger, now: .now())
  }

  /// A claim without a record.
  ///
  /// - Returns: the trigger, if its job is to be run again.
  private func recover(_ claim: Claim) throws(SystemError) -> ClaimedTrigger? {
    switch claim.name.state {
    case .expired: try retire(claim, .expired, "expired; recorded by a later run after a crash")
    case .cancelled: try retire(claim, .cancelled, "cancelled; recorded by a later run after a crash")
    case .rejected: try retire(claim, .rejected, try rejectReason(of: claim))
    case .waiting: try context.waiting.putBack(claim)
    case .attempt(let attempt): return try recoverJob(claim, attempt)
    // An attempt that the batch itself cut short has not begun, as far as `max_attempts` is concerned.
    case .stopping(let attempt): return try recoverJob(claim, attempt - 1)
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

  /// A job that was cut short before, while or after it ran: nobody can know which.
  private func recoverJob(_ claim: Claim, _ attempt: Int) throws(SystemError) -> ClaimedTrigger? {
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
      return try isToBeRepeated(claimed, channel) ? claimed : nil
    }
  }

  /// Whether a job that was cut short is run again. If not, the job was recorded, or left for a later run.
  private func isToBeRepeated(_ claimed: ClaimedTrigger, _ channel: Channel) throws(SystemError) -> Bool {
    let (claim, attempt) = (claimed.claim, claimed.attempt)
    switch try context.channelLocks.acquire(channel) {
    case .unavailable(let reason, let isFault):
      context.ledger.deferClaimed(claim.trigger, reason: reason, isFault: isFault)
      return false
    case .locked: break
    }
    if channel.rerun, attempt < context.instance.configuration.maxAttempts {
      context.ledger.willRetry(claim, channel)
      return true
    }
    let reason =
      channel.rerun
      ? "cut short by a crash of the batch \(attempt) times"
      : "cut short by a crash of the batch; \"rerun\" is false"
    try context.ledger.recovered(
      claim, .interrupted, reason: reason, uid: try claim.folder.status(of: claim.file)?.owner,
      trigger: claimed.trigger, channel: channel, attempt: max(1, attempt))
    return false
  }
}
