package import Posix
package import Spool

/// The outcome of an attempt to run.
package enum RunResult: Sendable {
  case completed(RunSummary)
  /// Somebody else holds the lock; nil is a holder without a note.
  case busy(HolderNote?)
  /// This user may not take the lock, and so may not run anything here.
  case forbidden(SystemError)
}

/// What `bobbin run` did, all holdings of the lock together.
package struct RunSummary: Sendable {
  package let run: Int64
  package let statistics: RunStatistics
  package let duration: Duration
  package let isInterrupted: Bool
  package let hasTrouble: Bool
  /// What stays in the spool, because this run could not work on it.
  package let deferred: Deferred

  package var hasFailures: Bool {
    statistics.channels.failed > 0 || statistics.triggers.failed > 0 || hasTrouble
  }

  package var json: JSONValue {
    .object(
      [("status", .string(isInterrupted ? "interrupted" : "completed")), ("run", .integer(run))]
        + statistics.counts + [
          ("videos_downloaded", .integer(statistics.videosDownloaded)), ("duration_s", .seconds(duration)),
        ])
  }
}

extension Instance {
  /// Takes the lock, runs, gives the lock back, and looks into the spool again: a trigger that came between the last
  /// look of the drain and the unlocking was told that a run is on, so this process takes the lock once more for it
  /// (promise 5).
  ///
  /// - Parameters:
  ///   - wait: how long to wait for a holder that runs somebody's trigger; nil: not at all. Nobody waits for a
  ///     scheduled run, or for a holder that left no note.
  ///   - scansAgain: false only in the test that shows what the second look is for.
  package func run(
    _ kind: HolderNote.Kind, _ options: Run.Options, wait: Duration?, scansAgain: Bool = true
  ) throws(SystemError) -> RunResult {
    // The end of a child is a signal, too.
    try Signals.handle()
    try Children.adoptOrphans()
    let begin = MonotonicTime.now()
    let (store, place): (SpoolStore, SchedulerLockFile)
    do throws(SystemError) { (store, place) = (try self.store(), try lockFile()) } catch {
      guard error.isRefusal else { throw error }
      return .forbidden(error)
    }
    var options = options
    var results: [RunReport] = []
    while true {
      let startedAt = Timestamp.now()
      let attempt: SchedulerLock.Attempt
      do throws(SystemError) {
        attempt = try SchedulerLock.tryAcquire(place, kind: kind, startedAt: startedAt, owner: owner)
      } catch {
        guard error.isRefusal, results.isEmpty else { throw error }
        return .forbidden(error)
      }
      switch consume attempt {
      case .acquired(let lock):
        let run = try Run(self, store: store, lock: lock, startedAt: startedAt, options: options)
        let result = try run.perform()
        try run.release()
        results.append(result)
        options.isSpoolOnly = true
        options.appliesRetention = false
        options.deferred = result.deferred
        if Signals.stop == nil, scansAgain, try hasPending(except: result.deferred.pending) { continue }
        return .completed(summary(of: results, since: begin))
      case .held(let holder):
        if !results.isEmpty {
          // Whoever has the lock now works the spool off. (flock(1) does not; the next run does.)
          return .completed(summary(of: results, since: begin))
        }
        guard let wait, holder?.kind == .manual, .now() - begin < wait, Signals.stop == nil else {
          return .busy(holder)
        }
        try Poll.wait(until: .now() + .milliseconds(100))
      }
    }
  }

  /// Whether there is any trigger in the spool but these.
  package func hasPending(except skipped: Set<FileName> = []) throws(SystemError) -> Bool {
    var found = false
    try spool.root.forEachName { name in
      if !found, TriggerName.isTrigger(name), !skipped.contains(FileName(bytes: Array(name))) { found = true }
    }
    return found
  }

  private func summary(of results: [RunReport], since begin: MonotonicTime) -> RunSummary {
    RunSummary(
      run: results[0].id,
      statistics: results.dropFirst().reduce(results[0].statistics) { $0 + $1.statistics },
      duration: .now() - begin, isInterrupted: Signals.stop != nil,
      hasTrouble: results.contains { $0.hasTrouble }, deferred: results[results.count - 1].deferred)
  }
}
