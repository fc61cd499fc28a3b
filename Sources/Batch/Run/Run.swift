import Channels
import History
package import Posix
package import Spool

/// One holding of the scheduler lock. `perform` is the sequence; each step is a type of its own.
package final class Run {
  private let context: RunContext
  private let options: RunOptions

  package init(
    _ instance: Instance, _ store: SpoolStore, lock: consuming SchedulerLock, startedAt: Timestamp,
    options: RunOptions
  ) throws(SystemError) {
    self.options = options
    context = try RunContext(instance, store, lock: lock, startedAt: startedAt, options: options)
  }

  /// Everything from recovery to the run's own record; the lock stays held.
  ///
  /// - Throws: when nothing more may be started: the history cannot be written, the disk is full, the spool cannot be
  ///   read. Claimed triggers then stay claimed, for the next run to recover.
  package func perform() throws(SystemError) -> RunReport {
    let begin = MonotonicTime.now()
    context.ledger.runStarted(context.id)
    warnOfExposures()
    try context.requireSpace()
    let recovered = try Recovery(context).perform()
    let scheduled = options.isSpoolOnly ? nil : try ScheduledJobs(context, recovered, options)
    if let scheduled, scheduled.hasAny {
      // Expiry comes before the channels, which may take hours. Without channels the drain begins at once and expires
      // triggers itself.
      try Expiry(context).perform()
      try scheduled.performFirst()
    }
    try Drain(context, retries: recovered.retries).perform()
    try scheduled?.performLast()
    try close(since: begin, recovered)
    return RunReport(
      id: context.id, statistics: context.ledger.statistics, deferred: context.ledger.deferred,
      hasFaults: context.ledger.hasFaults)
  }

  /// Releases the lock. The caller scans the spool again after that (promise 5).
  package func release() throws(SystemError) { try context.lock.release() }

  /// A run goes on: the batch's user may have no say in it, and jobs that do not run help nobody.
  private func warnOfExposures() {
    let instance = context.instance
    let paths = SetupCheck(instance.configuration).exposures().map(\.path)
    guard !paths.isEmpty else { return }
    instance.log.warning(
      "others could change what is run; bobbin check says how, and what to do",
      ["path": paths.joined(separator: ", ")])
  }

  private func close(since begin: MonotonicTime, _ recovered: Recovered) throws(SystemError) {
    try context.ledger.flush()
    if let full = context.lock.diskFull { throw full }
    try context.ledger.runFinished(
      context.id, id: try context.ids.next(), startedAt: context.startedAt, duration: .now() - begin,
      wasStopped: context.isStopping)
    try context.ids.sync()
    try context.claims.close()
    try AbandonedClaims.removeEmptyFolders(of: recovered.claims, in: context.store)
    if options.appliesRetention { context.reserve.removeOldResults() }
  }
}
