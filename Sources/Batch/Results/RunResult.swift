package import Posix
package import Spool

/// The result of an attempt to run.
package enum RunResult: Sendable {
  case completed(RunSummary)
  /// Another process holds the lock; nil when the holder left no note.
  case busy(HolderNote?)
  /// This user may not take the lock, and so may not run anything here.
  case forbidden(SystemError)
}
