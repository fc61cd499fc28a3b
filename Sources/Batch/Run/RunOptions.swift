package import History
package import Posix

/// What one holding of the scheduler lock is to do.
package struct RunOptions: Sendable {
  /// A trigger that somebody waits for.
  package struct WatchedTrigger: Sendable {
    let name: FileName
    /// Called as soon as the trigger has ended and its record is durable.
    let onRecorded: @Sendable (HistoryRecord) -> Void
    /// Called with the reason when the run leaves the trigger pending because something is wrong with the set-up.
    let onFault: @Sendable (String) -> Void

    package init(
      name: FileName, onFault: @escaping @Sendable (String) -> Void = { _ in },
      onRecorded: @escaping @Sendable (HistoryRecord) -> Void
    ) {
      self.name = name
      self.onFault = onFault
      self.onRecorded = onRecorded
    }
  }

  /// Leaves out the scheduled channels.
  package var isSpoolOnly = false
  /// Runs every enabled channel, due or not.
  package var takesAll = false
  /// At the end, removes results that have been kept long enough.
  package var appliesRetention = false
  /// The triggers that an earlier holding of the lock by the same process could not work on.
  package var deferred = Deferred()
  /// What earlier runs of the same process have reported as left pending: no run reports it again, or waits for it to
  /// settle.
  package var reported: Set<FileName> = []
  package var watched: WatchedTrigger?

  package init() {}
}
