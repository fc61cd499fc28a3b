import Channels
package import Posix
package import Spool

/// One holding of the scheduler lock: what an earlier run left is recovered, what is too old expires, the enabled
/// channels have their turn, then the spool is worked off in the order of file names.
///
/// The steps are in `Run+Recover`, `Run+Expire`, `Run+Channels` and `Drain`. What they do with one trigger is in
/// `Run+Triggers` and `Run+GiveUp`, with one job in `Run+Job` and `Run+ChannelLock`.
package final class Run {
  package struct Options: Sendable {
    /// Leaves out the scheduled channels.
    package var isSpoolOnly = false
    /// Removes what has been kept long enough at the end.
    package var appliesRetention = false
    /// What an earlier holding of the same process could not work on.
    package var deferred = Deferred()
    /// The trigger that somebody waits for.
    package var watched: FileName?
    /// Called as soon as it is done and its record durable.
    package var onWatched: (@Sendable (HistoryRecord) -> Void)?

    package init() {}
  }

  let batch: Instance
  let options: Options
  let store: SpoolStore
  let ids: HistoryIDs
  let recorder: Recorder
  let claims: ClaimFolder
  let runner: JobRunner
  let inspector: Inspector
  /// When the lock was taken: the moment by which triggers are judged to be too old.
  let startedAt: Timestamp
  /// The number of this run.
  let id: Int64
  /// Nil once it was released.
  var lock: SchedulerLock?
  var statistics = RunStatistics()
  var deferred: Deferred
  /// Claims that dead runs left; their folders are removed when the run has finished with them.
  var abandoned: [Claim] = []
  /// Claims of dead runs whose job is to be run again, in the order of their triggers' names.
  var recovered: [(claim: Claim, trigger: Trigger)] = []
  /// Claims that were to be put back while a newer file had their name.
  var stranded: [Claim] = []
  /// The channel whose scheduled job the run before was killed in.
  var interruptedChannel: String?
  /// Met by a note on the current job, which is no reason to forget the job.
  var fullDisk: SystemError?
  /// See `Run+ChannelLock`.
  var keptLock: FileLock?
  var keptLockChannel = 0
  /// Something went wrong that is no job's failure.
  var hasTrouble = false

  package struct Result: Sendable {
    package let id: Int64
    package let statistics: RunStatistics
    package let deferred: Deferred
    package let hasTrouble: Bool
  }

  package init(
    _ batch: Instance, store: SpoolStore, lock: consuming SchedulerLock, startedAt: Timestamp,
    options: Options
  ) throws(SystemError) {
    self.batch = batch
    self.options = options
    self.store = store
    self.startedAt = startedAt
    self.lock = consume lock
    deferred = options.deferred
    ids = try HistoryIDs(store)
    recorder = try Recorder(store)
    claims = ClaimFolder(store, owner: batch.owner)
    runner = JobRunner(configuration: batch.configuration, logs: store[.logs], log: batch.log)
    inspector = batch.inspector()
    id = try ids.nextRun()
    try self.lock?.note(run: id)
  }

  /// Everything from recovery to the run's own record; the lock stays held.
  ///
  /// - Throws: when nothing more may be started: the history can't be written, the disk is full, the spool can't be
  ///   read. What was claimed then stays claimed, for the next run to recover.
  package func perform() throws(SystemError) -> Result {
    let begin = MonotonicTime.now()
    batch.log.info("run started", ["run": String(id)])
    try requireSpace()
    try recover()
    let runsChannels = !options.isSpoolOnly && batch.configuration.channels.contains(where: \.enabled)
    if runsChannels {
      // Before the channels, which may take hours. Without them the drain begins at once, and meets all there is.
      try expireStale()
      try runChannels { $0.name != self.interruptedChannel }
    }
    try Drain(self).perform()
    for claim in stranded {
      batch.log.warning(
        "trigger waits for the next run: a newer one has its name", ["trigger": claim.trigger.description])
    }
    if runsChannels, let last = interruptedChannel {
      // It may kill this run, too, and must not keep the others and the triggers from their turn each time, nor take
      // with it what was done before.
      try recorder.flush()
      try runChannels { $0.name == last }
    }
    try recorder.flush()
    if let fullDisk { throw fullDisk }
    statistics.historyMended = recorder.mended
    if statistics.historyMended > 0 { batch.log.warning("a torn last line of the history was removed") }
    var record = HistoryRecord(id: try ids.next(), run: id, kind: .run, outcome: outcome, finishedAt: .now())
    record.startedAt = startedAt
    record.duration = .now() - begin
    record.videosDownloaded = statistics.videosDownloaded
    record.statistics = statistics
    try recorder.add(.init(record: record))
    try recorder.flush()
    try ids.sync()
    try claims.close()
    try AbandonedClaims.removeEmptyFolders(of: abandoned, in: store)
    if options.appliesRetention { removeOldResults() }
    return Result(id: id, statistics: statistics, deferred: deferred, hasTrouble: hasTrouble)
  }

  /// Gives the lock back. The caller looks into the spool again after that (promise 5).
  package func release() throws(SystemError) { try lock.take()?.release() }

  /// Housekeeping that fails is reported, and tried again by the next run.
  private func removeOldResults() {
    do throws(SystemError) {
      let tidying = ResultRetention(store: store, keepResults: batch.configuration.keepResults, now: .now())
      let removed = try tidying.perform()
      if removed > 0 { batch.log.info("old results removed", ["files": String(removed)]) }
    } catch { batch.log.warning("old results not removed: \(error)") }
  }

  private var outcome: Outcome {
    if Signals.stop != nil { return .interrupted }
    return statistics.channels.failed + statistics.triggers.failed > 0 || hasTrouble ? .failed : .succeeded
  }

  var isStopping: Bool { Signals.stop != nil }

  /// What the holder of the lock before this run was killed in, and nobody has recorded.
  var interruptedJob: HolderNote.Job? { lock?.interruptedJob ?? nil }

  /// A job needs room for its log, its record and its result. Found out before it starts, not after.
  func requireSpace() throws(SystemError) {
    if let fullDisk { throw fullDisk }
    if try store.root.freeSpace() < 256 << 10 {
      throw SystemError("write to", store.root.path, .noSpace)
    }
  }

  /// Whatever must hold before anything more is started.
  func requireIntegrity() throws(SystemError) {
    try recorder.check()
    try requireSpace()
    if try lock?.isStillInPlace() != true {
      throw SystemError(
        "go on without the lock file (it was removed or replaced)", batch.configuration.lock, .noSuchFile)
    }
  }

  /// Hands a record and its claim to the recorder, and tells whoever waits for this trigger.
  func add(_ record: HistoryRecord, _ claim: Claim, content: [UInt8]) throws(SystemError) {
    try recorder.add(.init(record: record, claim: claim, content: content))
    if claim.trigger == options.watched {
      try recorder.flush()
      options.onWatched?(record)
    }
  }
}
