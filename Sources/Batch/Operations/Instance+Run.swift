import History
import Jobs
package import Posix
package import Spool

extension Instance {
  /// How long to pause between two attempts to take the lock.
  private static let lockInterval = Duration.milliseconds(100)

  /// The result of one attempt to hold the lock for a run.
  package enum Holding: Sendable {
    case ran(RunReport)
    /// Another process holds the lock; nil when the holder left no note.
    case held(HolderNote?)
    /// This user may not take the lock.
    case forbidden(SystemError)
  }

  /// Takes the lock, runs, releases the lock, and scans the spool again: a trigger that came between the last scan of
  /// the drain and the unlocking was told that a run is active, so this process takes the lock once more for it
  /// (promise 5).
  ///
  /// - Parameter wait: whom to wait for, and how long.
  package func run(
    _ kind: HolderNote.Kind, _ options: RunOptions, wait: LockWait
  ) throws(SystemError) -> RunResult {
    let begin = MonotonicTime.now()
    if options.watched == nil, try stayedIdle(options) {
      return .completed(
        RunSummary(
          run: nil, statistics: RunStatistics(), duration: .now() - begin, isInterrupted: stop.signal != nil,
          hasFaults: false, deferred: Deferred()))
    }
    var options = options
    var reports: [RunReport] = []
    while true {
      switch try runOnce(kind, options) {
      case .ran(let report):
        reports.append(report)
        options.isSpoolOnly = true
        options.appliesRetention = false
        options.deferred = report.deferred
        if stop.signal == nil, try hasPending(except: report.deferred.pending) { continue }
        return .completed(summary(of: reports, since: begin))
      case .held(let holder):
        // The process that has the lock now drains the spool. (flock(1) does not; then the next run does.)
        if !reports.isEmpty { return .completed(summary(of: reports, since: begin)) }
        guard wait.includes(holder), .now() - begin < wait.limit, stop.signal == nil else {
          return .busy(holder)
        }
        try Poll.wait(until: .now() + Self.lockInterval)
      case .forbidden(let error):
        if !reports.isEmpty { throw error }
        return .forbidden(error)
      }
    }
  }

  /// Whether there is nothing to do. Old results are removed nevertheless.
  private func stayedIdle(_ options: RunOptions) throws(SystemError) -> Bool {
    do throws(SystemError) {
      let store = try openStore()
      guard try isIdle(store, options) else { return false }
      if options.appliesRetention { SpaceReserve(instance: self, store: store).removeOldResults() }
      return true
    } catch {
      guard error.isRefusal else { throw error }
      return false
    }
  }

  /// Takes the lock if it is free, runs, and releases it.
  package func runOnce(_ kind: HolderNote.Kind, _ options: RunOptions) throws(SystemError) -> Holding {
    // The end of a child is a signal as well.
    try Signals.handle()
    try Children.adoptOrphans()
    let startedAt = Timestamp.now()
    let store: SpoolStore
    let attempt: SchedulerLock.Attempt
    do throws(SystemError) {
      store = try openStore()
      // Before the lock: on a full disk not even the note in it could be written.
      try SpaceReserve(instance: self, store: store).tidyIfShort()
      attempt = try SchedulerLock.tryAcquire(lockFile(), kind: kind, startedAt: startedAt, owner: owner)
    } catch {
      guard error.isRefusal else { throw error }
      return .forbidden(error)
    }
    switch consume attempt {
    case .held(let holder): return .held(holder)
    case .acquired(let lock):
      let run = try Run(self, store, lock: lock, startedAt: startedAt, options: options)
      let report = try run.perform()
      try run.release()
      return .ran(report)
    }
  }

  /// Whether the spool has any trigger other than these.
  package func hasPending(except skipped: Set<FileName> = []) throws(SystemError) -> Bool {
    var found = false
    try spool.root.forEachName { name in
      if !found, TriggerName.isTrigger(name), !skipped.contains(FileName(bytes: Array(name))) { found = true }
    }
    return found
  }

  private func summary(of reports: [RunReport], since begin: MonotonicTime) -> RunSummary {
    RunSummary(
      run: reports[0].id,
      statistics: reports.dropFirst().reduce(reports[0].statistics) { (sum: RunStatistics, report) in
        sum + report.statistics
      },
      duration: .now() - begin, isInterrupted: stop.signal != nil,
      hasFaults: reports.contains { $0.hasFaults }, deferred: reports[reports.count - 1].deferred)
  }
}
