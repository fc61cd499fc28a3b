import Channels
import History
import Jobs
import Posix
import Spool

/// What the steps of one run share. No part is replaced while the run lasts; each part that changes has one owner.
final class RunContext {
  let instance: Instance
  let store: SpoolStore
  let lock: RunLock
  let reserve: SpaceReserve
  /// When the lock was taken: the age of triggers is judged by it.
  let startedAt: Timestamp
  /// The number of the run.
  let id: Int64
  let ids: HistoryIDs
  let ledger: RunLedger
  let claims: ClaimFolder
  let waiting: WaitingClaims
  let channelLocks: ChannelLocks
  let jobs: JobRunner
  let inspector: Inspector
  /// For files in the spool.
  let triage: Triage
  /// For triggers that are claimed already: they do not expire.
  let claimedTriage: Triage
  let retirer: TriggerRetirer

  init(
    _ instance: Instance, _ store: SpoolStore, lock: consuming SchedulerLock, startedAt: Timestamp,
    options: RunOptions
  ) throws(SystemError) {
    self.instance = instance
    self.store = store
    self.startedAt = startedAt
    reserve = SpaceReserve(instance: instance, store: store)
    self.lock = RunLock(lock, log: instance.log, path: instance.configuration.lock)
    ids = try HistoryIDs(store)
    let recorder = try Recorder(store)
    claims = ClaimFolder(store, owner: instance.owner)
    waiting = WaitingClaims(claims)
    channelLocks = ChannelLocks(
      store, library: instance.configuration.library, log: instance.log, stop: instance.stop)
    jobs = JobRunner(
      configuration: instance.configuration, logs: store[.logs], log: instance.log, stop: instance.stop)
    inspector = instance.inspector(store.leases)
    triage = instance.triage(asOf: startedAt)
    claimedTriage = instance.triage(asOf: nil)
    id = try ids.nextRun()
    ledger = RunLedger(
      run: id, recorder: recorder, log: instance.log, spool: instance.spool, deferred: options.deferred,
      reported: options.reported, watched: options.watched)
    retirer = TriggerRetirer(ids: ids, claims: claims, ledger: ledger, waiting: waiting)
    try self.lock.note(run: id)
  }

  var isStopping: Bool { instance.stop.signal != nil }

  /// Inspects one file. A file that cannot be inspected (something is mounted on it, a device has failed) stays, with a
  /// warning, and does not keep the others from running; the result is then nil.
  func inspect(_ name: FileName) throws(SystemError) -> Inspection? {
    do throws(SystemError) { return try inspector.inspect(name, now: .now()) } catch {
      if error.isShortage { throw error }
      ledger.deferPending(name, reason: "it cannot be examined: \(error)", isFault: true)
      return nil
    }
  }

  /// Pending → expired or rejected, when that is the verdict; otherwise nothing.
  func retire(_ verdict: Verdict, _ name: FileName) throws(SystemError) {
    switch verdict {
    case .reject(let reason, let file, _): _ = try retirer.retireOrDefer(name, file, .rejected(reason))
    case .expire(let trigger, let channel, let age):
      _ = try retirer.retireOrDefer(
        name, trigger.file,
        .expired(
          trigger, channel, age: age, limit: instance.configuration.expireAfter,
          since: "before the run began"))
    case .gone, .unsettled, .unreadable, .fail, .run: break
    }
  }

  /// Throws unless everything is in order for something more to be started.
  func requireIntegrity() throws(SystemError) {
    try ledger.check()
    try requireSpace()
    try lock.requireInPlace()
  }

  /// Throws when there is no space for another job. This is checked before a job starts, not after.
  func requireSpace() throws(SystemError) {
    if let full = lock.diskFull { throw full }
    try reserve.require()
  }
}
