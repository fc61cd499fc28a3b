package import Posix

/// A job whose batch was killed: its processes live on, and with them the lock of its channel. Nobody waits for its end,
/// so its time limit is enforced by a later batch.
package struct OrphanedJob {
  private let holders: FileHolders
  /// The processes that hold the lock.
  package let processes: [Int32]
  /// How long the oldest of them has been running.
  package let age: Duration

  /// Searches for the job.
  ///
  /// - Parameter lock: the file of the channel's lock.
  /// - Returns: nil when no process of a job is known to hold the lock, or when the batch of the job lives: it ends the
  ///   job itself.
  package init?(holding lock: FileStatus) throws(SystemError) {
    holders = FileHolders(of: lock)
    processes = try holders.ids()
    guard let age = processes.compactMap({ ProcessTable.age(of: $0) }).max(),
      !holders.haveLivingParent(processes)
    else { return nil }
    self.age = age
  }

  /// Ends the job by the same ladder as a job whose batch lives, unless this batch is asked to stop meanwhile.
  ///
  /// - Parameter signal: the first of the ladder.
  /// - Returns: whether no process holds the lock any more.
  package func end(by signal: Int32, grace: Duration, stop: StopRequest) throws(SystemError) -> Bool {
    var descent = Teardown.Descent(.stopping(signal, grace: grace), now: .now())
    while let step = descent.signal, stop.signal == nil {
      let ids = try holders.ids()
      if ids.isEmpty { return true }
      holders.signal(ids, step)
      try Poll.wait(until: min(descent.deadline, .now() + Teardown.signalInterval))
      _ = descent.advance(now: .now(), isUrgent: false)
    }
    return try holders.ids().isEmpty
  }
}
