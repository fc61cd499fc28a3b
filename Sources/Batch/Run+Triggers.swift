import Channels
import Posix
import Spool

/// What a run does with one trigger: look, claim, run its job, record, and bring it to its end.
extension Run {
  enum Work {
    /// The name needs no more attention.
    case settled
    /// May still be being written.
    case unsettled
  }

  /// One name in the spool: run, given up, or left to settle.
  func work(
    on name: FileName, _ inspection: Inspection
  ) throws(SystemError) -> Work {
    switch inspection {
    case .vanished: return .settled
    case .unsettled: return .unsettled
    case .odd(let reason, let file): try giveUp(name, file, .rejected, reason.text)
    case .settled(let trigger):
      switch trigger.channels {
      case .failure(let reason): try giveUp(name, trigger.file, .rejected, reason.text)
      case .success(let references):
        // One that was dropped while the run was on, but was requested long before it began.
        if isStale(trigger) {
          try expire(trigger)
        } else {
          return try run(trigger, references)
        }
      }
    }
    return .settled
  }

  /// Pending → claimed → job → recorded → done or failed.
  private func run(
    _ trigger: Trigger, _ references: [ChannelReference]
  ) throws(SystemError) -> Work {
    try requireIntegrity()
    switch batch.resolve(references) {
    case .unknown(let reason): return try refuse(trigger, nil, reason)
    case .disabled(let channel, let reason): return try refuse(trigger, channel, reason)
    case .found(let channel):
      // Before the claim: a trigger that must wait for an orphan stays pending, for everybody to see.
      switch try lockChannel(channel) {
      case .unavailable(let reason, _): leavePending(trigger.name, because: reason)
      case .locked(let channelLock):
        switch try take(trigger) {
        case .vanished: break
        case .changed: return .unsettled
        case .claimed(let claim):
          if !channel.rerun { try claims.sync() }
          try runJob(claim, trigger, channel, attempt: 1, holding: channelLock)
          keep(channelLock, of: channel)
        }
      }
      return .settled
    }
  }

  /// Claimed → pending, for files whose name was taken by a newer one when they were to be put back.
  func putBackStranded() throws(SystemError) {
    let claims = stranded
    stranded = []
    for claim in claims { try putBack(claim) }
  }

  private enum Taking {
    case claimed(Claim)
    case vanished
    case changed
  }

  /// Pending → claimed, and back if it is not what was inspected.
  private func take(_ trigger: Trigger) throws(SystemError) -> Taking {
    let jobID = try ids.next()
    let claim: Claim
    do throws(SystemError) {
      guard let taken = try claims.claim(trigger.name, id: jobID, state: .attempt(1)) else {
        ids.giveBack(jobID)
        return .vanished
      }
      claim = taken
    } catch {
      guard error.isImmovable else { throw error }
      // Nothing is run that could not be made this run's own.
      ids.giveBack(jobID)
      leavePending(trigger.name, because: "it cannot be claimed: \(error)")
      hasTrouble = true
      return .vanished
    }
    do throws(SystemError) {
      if try claims.isUnchanged(claim, since: trigger) { return .claimed(claim) }
    } catch {
      // Nothing was started, so it is no attempt.
      if error.isShortage { try putBack(claim) }
      throw error
    }
    // RACE: exchanged or written to between the inspection and the claim.
    try putBack(claim)
    return .changed
  }

  /// A trigger for a channel that is not there: claimed → recorded → failed, without a job.
  private func refuse(_ trigger: Trigger, _ channel: Channel?, _ reason: String) throws(SystemError) -> Work {
    switch try take(trigger) {
    case .vanished: return .settled
    case .changed: return .unsettled
    case .claimed(let claim):
      try refuse(claim, trigger, channel, reason)
      return .settled
    }
  }

  private func refuse(
    _ claim: Claim, _ trigger: Trigger, _ channel: Channel?, _ reason: String
  ) throws(SystemError) {
    var record = HistoryRecord(id: claim.id, run: id, kind: .manual, outcome: .failed, finishedAt: .now())
    record.channelID = channel.map { Int64($0.id) }
    record.channel = channel?.name
    record.errorMessage = reason
    statistics.triggers.failed += 1
    batch.log.error("trigger failed: \(reason)", ["trigger": trigger.name.description])
    try add(completed(record, trigger), claim, content: trigger.bytes)
  }

  /// Claimed by a dead run → claimed by this one, for the next attempt → job.
  func rerun(
    _ abandoned: Claim, _ trigger: Trigger
  ) throws(SystemError) {
    try requireIntegrity()
    guard case .attempt(let attempt) = abandoned.name.state else { return }
    let resolution: ChannelResolution =
      switch trigger.channels {
      case .success(let references): batch.resolve(references)
      case .failure(let reason): .unknown(reason.text)
      }
    switch resolution {
    case .unknown(let reason): try refuse(abandoned, trigger, nil, reason)
    case .disabled(let channel, let reason): try refuse(abandoned, trigger, channel, reason)
    case .found(let channel):
      switch try lockChannel(channel) {
      case .unavailable(let reason, _): leaveClaimed(trigger.name, because: reason)
      case .locked(let channelLock):
        // A job that has been cut short once may kill the batch again: it must not take with it what was done before.
        try recorder.flush()
        guard let claim = try claims.adopt(abandoned, state: .attempt(attempt + 1)) else { return }
        // The count of attempts must not be lost: it is what ends the repetition of a job that kills the batch.
        try claims.sync()
        try runJob(claim, trigger, channel, attempt: attempt + 1, holding: channelLock)
        keep(channelLock, of: channel)
      }
    }
  }

  private func runJob(
    _ claim: Claim, _ trigger: Trigger, _ channel: Channel, attempt: Int,
    holding channelLock: borrowing FileLock
  ) throws(SystemError) {
    let job = Job(
      id: claim.id, run: id, kind: .manual, channel: channel, trigger: trigger.name, user: trigger.user,
      firstAttempt: attempt)
    var record: HistoryRecord
    switch try execute(job, holding: channelLock) {
    case .ended(let ended): record = completed(ended, trigger)
    case .notStarted(let shortage):
      try undo(claim, attempt)
      throw shortage
    }
    if record.outcome == .interrupted, channel.rerun {
      return try putBack(claim, &record)
    }
    if record.outcome == .succeeded {
      statistics.triggers.succeeded += 1
    } else {
      statistics.triggers.failed += 1
    }
    try add(record, claim, content: trigger.bytes)
  }

  /// Claimed → (recorded) → pending: the batch was asked to stop while the job ran.
  private func putBack(_ claim: Claim, _ record: inout HistoryRecord) throws(SystemError) {
    record.isRequeued = true
    try recorder.add(.init(record: record))
    try recorder.flush()
    try putBack(claim)
    batch.log.info("trigger put back", ["trigger": claim.trigger.description])
  }

  /// Takes an attempt back that has not begun. Another run may have what this one is short of.
  private func undo(_ claim: Claim, _ attempt: Int) throws(SystemError) {
    if attempt == 1 { return try putBack(claim) }
    // It stays claimed, because a pending one has no count of attempts.
    _ = try claims.adopt(claim, state: .attempt(attempt - 1))
  }

  /// Claimed → pending, now or when the newer one that has its name is done.
  func putBack(_ claim: Claim) throws(SystemError) {
    if let waiting = try claims.putBack(claim) { stranded.append(waiting) }
  }

  private func completed(_ record: HistoryRecord, _ trigger: Trigger) -> HistoryRecord {
    var record = record
    record.trigger = trigger.name
    record.user = trigger.user
    record.uid = trigger.file.owner
    record.requestedAt = trigger.requestedAt
    return record
  }
}
