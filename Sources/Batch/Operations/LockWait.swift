import Spool

/// Whom a run waits for that finds the scheduler lock held.
package enum LockWait: Sendable {
  case nobody
  /// A run for somebody's trigger, so that such a run never costs a scheduled one. A scheduled run, and a holder that left
  /// no note (flock(1)), is not waited for.
  case manualRun(Duration)
  /// Whoever holds the lock.
  case anyHolder(Duration)

  /// How long to wait at most.
  var limit: Duration {
    switch self {
    case .nobody: .zero
    case .manualRun(let limit), .anyHolder(let limit): limit
    }
  }

  /// - Parameter holder: nil for one that left no note.
  func includes(_ holder: HolderNote?) -> Bool {
    switch self {
    case .nobody: false
    case .manualRun: holder?.kind == .manual
    case .anyHolder: true
    }
  }
}
