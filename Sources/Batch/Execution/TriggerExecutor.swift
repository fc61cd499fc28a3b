import Channels
import History
import Jobs
import Posix
import Spool

/// Does what the triage decided about one trigger: claims it, runs its job, records it, and finishes it.
struct TriggerExecutor {
  private let context: RunContext
  private let jobs: JobExecutor

  init(_ context: RunContext) {
    self.context = context
    jobs = JobExecutor(context)
  }

  enum Work {
    /// The name needs no more attention.
    case done
    /// The file may still be being written: inspect it again.
    case again(FileStatus)
  }

  /// Acts on the verdict on one name in the spool.
  func execute(_ verdict: Verdict, _ name: FileName) throws(SystemError) -> Work {
    switch verdict {
    case .gone: return .done
    case .unsettled(let file): return .again(file)
    case .unreadable(let trigger, let reason):
      context.ledger.deferUnreadable(trigger, reason: reason)
      return .done
    case .reject, .expire:
      try context.retire(verdict, name)
      return .done
    case .fail(let trigger, let channel, let reason):
      try context.requireIntegrity()
      return try claimed(trigger) { claimed throws(SystemError) in
        try context.ledger.failed(claimed, channel, reason: reason)
      }
    case .run(let trigger, let channel):
      try context.requireIntegrity()
      return try run(trigger, channel)
    }
  }

  /// Pending → claimed → job → recorded → done or failed.
  private func run(_ trigger: Trigger, _ channel: Channel) throws(SystemError) -> Work {
    // The lock is taken before the claim: a trigger that must wait for an orphan stays pending, for everybody to see.
    switch try context.channelLocks.acquire(channel) {
    case .unavailable(let reason, let isFault):
      context.ledger.deferPending(trigger.name, reason: reason, isFault: isFault)
      return .done
    case .locked(let channelLock):
      switch try claim(trigger) {
      case .vanished: return .done
      case .changed: return .again(trigger.file)
      case .claimed(let claimed):
        // If a power cut lost the claim, the job would be run again.
        if !channel.rerun { try context.claims.sync() }
        try runJob(claimed, channel, holding: channelLock)
        keep(channelLock, of: channel)
        return .done
      }
    }
  }

  /// Claimed by a killed run → claimed by this run, for the next attempt → job.
  func retry(_ abandoned: ClaimedTrigger) throws(SystemError) {
    try context.requireIntegrity()
    switch context.claimedTriage.verdict(on: .claimed(abandoned.trigger)) {
    case .gone, .unsettled, .unreadable, .reject, .expire: return
    case .fail(_, let channel, let reason):
      try context.ledger.failed(abandoned, channel, reason: reason)
    case .run(_, let channel):
      switch try context.channelLocks.acquire(channel) {
      case .unavailable(let reason, let isFault):
        context.ledger.deferClaimed(abandoned.trigger.name, reason: reason, isFault: isFault)
      case .locked(let channelLock):
        // A job that was cut short once may kill the batch again: the records of earlier jobs must not be lost with it.
        try context.ledger.flush()
        let attempt = abandoned.attempt + 1
        guard let claim = try context.claims.adopt(abandoned.claim, state: .attempt(attempt)) else { return }
        // The number of attempts must not be lost: it ends the repetition of a job that kills the batch.
        try context.claims.sync()
        try runJob(
          ClaimedTrigger(claim: claim, trigger: abandoned.trigger, attempt: attempt), channel,
          holding: channelLock)
        keep(channelLock, of: channel)
      }
    }
  }

  private enum Claiming {
    case claimed(ClaimedTrigger)
    case vanished
    case changed
  }

  /// Pending → claimed, and back if the file is not what was inspected.
  private func claim(_ trigger: Trigger) throws(SystemError) -> Claiming {
    let id = try context.ids.next()
    let claim: Claim
    do throws(SystemError) {
      guard let made = try context.claims.claim(trigger.name, id: id, state: .attempt(1)) else {
        context.ids.giveBack(id)
        return .vanished
      }
      claim = made
    } catch {
      guard error.isImmovable else { throw error }
      // A trigger that this run could not claim is not run.
      context.ids.giveBack(id)
      context.ledger.deferPending(
        trigger.name, reason: "it cannot be claimed: \(error.explanation)", isFault: true)
      return .vanished
    }
    do throws(SystemError) {
      if try context.claims.isUnchanged(claim, since: trigger) {
        return .claimed(ClaimedTrigger(claim: claim, trigger: trigger, attempt: 1))
      }
    } catch {
      // Nothing was started, so this does not count as an attempt.
      if error.isShortage { try context.waiting.putBack(claim) }
      throw error
    }
    // RACE: the file was replaced or written to between the inspection and the claim.
    try context.waiting.putBack(claim)
    return .changed
  }

  /// Claims a trigger for something that needs no job.
  private func claimed(
    _ trigger: Trigger, _ body: (ClaimedTrigger) throws(SystemError) -> Void
  ) throws(SystemError) -> Work {
    switch try claim(trigger) {
    case .vanished: return .done
    case .changed: return .again(trigger.file)
    case .claimed(let claimed):
      try body(claimed)
      return .done
    }
  }

  /// Claimed → job → recorded → done or failed; or pending again, when the batch was asked to stop while the job ran.
  private func runJob(
    _ claimed: ClaimedTrigger, _ channel: Channel, holding channelLock: borrowing FileLock
  ) throws(SystemError) {
    let trigger = claimed.trigger
    var claim = claimed.claim
    let job = Job(
      id: claim.id, run: context.id, kind: .manual, channel: channel, trigger: trigger.name,
      user: trigger.user, firstAttempt: claimed.attempt)
    // Whoever stops the batch may lose patience and kill it: `docker stop` after 10 s.
    let markStopping = { claim = markedStopping(claim, attempt: claimed.attempt) }
    switch try jobs.execute(job, holding: channelLock, onStopping: markStopping) {
    case .notStarted(let shortage):
      try undo(claimed)
      throw shortage
    case .ended(let result) where result.outcome == .interrupted && channel.rerun:
      try context.ledger.interrupted(.job(job, result, of: trigger, isRequeued: true))
      try context.waiting.putBack(claim)
      context.ledger.requeued(claim)
    case .ended(let result):
      try context.ledger.finished(
        .job(job, result, of: trigger),
        ClaimedTrigger(claim: claim, trigger: trigger, attempt: claimed.attempt))
    }
  }

  /// A claim that says that its attempt does not count. If it cannot be marked, it counts only when the batch is killed
  /// while it stops, and nothing is lost.
  private func markedStopping(_ claim: Claim, attempt: Int) -> Claim {
    do throws(SystemError) { return try context.claims.mark(claim, .stopping(attempt)) } catch {
      context.instance.log.warning("attempt not marked as stopped: \(error)")
      return claim
    }
  }

  /// Takes back an attempt that has not begun. Another run may have the resources that this run lacks.
  private func undo(_ claimed: ClaimedTrigger) throws(SystemError) {
    if claimed.attempt == 1 { return try context.waiting.putBack(claimed.claim) }
    // It stays claimed, because a pending file has no count of attempts.
    _ = try context.claims.adopt(claimed.claim, state: .attempt(claimed.attempt - 1))
  }

  private func keep(_ lock: consuming FileLock, of channel: Channel) {
    if context.jobs.leftNothingBehind { context.channelLocks.keep(lock, of: channel) }
  }
}
