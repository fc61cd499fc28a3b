package import Posix
import Spool

/// Why `bobbin watch` ended.
package enum WatchResult: Sendable {
  case stopped(signal: Int32)
  /// The spool's path leads to another directory now, or to none: nobody would drop triggers where it watches.
  case spoolReplaced
}

extension Instance {
  /// How long triggers that a run had to leave pending are left alone.
  static let deferredInterval = Duration.seconds(30)

  /// How often it is looked whether the spool is still where it was opened.
  private static let placeInterval = Duration.seconds(5)

  /// How often a run of this process also removes what has been kept long enough.
  private static let tidyingInterval = Duration.seconds(24 * 3_600)

  /// Looks into the spool again and again and works it off as soon as a trigger has settled, until a signal asks to
  /// stop. While nothing changes a look is one `fstat(2)`, or now and then a `stat(2)` of the path, which costs more and
  /// tells whether it still leads here.
  package func watch(every interval: Duration) throws(SystemError) -> WatchResult {
    let opened = try spool.root.status()
    var placeSeenAt = MonotonicTime.now()
    // What an earlier process left claimed, or somebody dropped while nobody watched.
    var isDirty = true
    var seen: Timestamp?
    var deferred = Deferred()
    var tidiedAt: MonotonicTime?
    var deferredUntil = MonotonicTime.now()
    while true {
      if let signal = Signals.stop { return .stopped(signal: signal) }
      if !deferred.isEmpty, MonotonicTime.now() >= deferredUntil {
        deferred = Deferred()
        isDirty = true
      }
      let before = Timestamp.now()
      let seesPlace = .now() - placeSeenAt > Self.placeInterval
      if seesPlace { placeSeenAt = .now() }
      let status = seesPlace ? try Path.targetStatus(spool.root.path) : try spool.root.status()
      guard let status, status.device == opened.device, status.inode == opened.inode else {
        return .spoolReplaced
      }
      let modified = status.modified
      if isDirty || modified != seen {
        // A change in the same instant as this look would not show in the time, which some file systems keep to two
        // seconds only: a time so near is not remembered.
        seen = before - modified > .seconds(3) ? modified : nil
        let appliesRetention = tidiedAt.map { .now() - $0 > Self.tidyingInterval } ?? true
        switch try drainIfNeeded(except: deferred, appliesRetention: appliesRetention) {
        case .nothing: isDirty = false
        case .busy: isDirty = true
        case .drained(let left):
          if appliesRetention { tidiedAt = .now() }
          if !left.isSubset(of: deferred) { deferredUntil = .now() + Self.deferredInterval }
          deferred = left
          isDirty = false
          seen = nil
        }
      }
      if Signals.stop == nil { try Poll.wait(until: .now() + interval) }
    }
  }

  private enum WatchOutcome {
    case nothing
    case busy
    case drained(left: Deferred)
  }

  private func drainIfNeeded(except deferred: Deferred, appliesRetention: Bool) throws(SystemError) -> WatchOutcome {
    let store = try store()
    if try !hasPending(except: deferred.pending) {
      let abandoned = try AbandonedClaims(in: store[.running], observer: owner, isForRecovery: true).claims
      if abandoned.allSatisfy({ deferred.claimed.contains($0.trigger) }) { return .nothing }
    }
    var options = Run.Options()
    options.isSpoolOnly = true
    options.deferred = deferred
    options.appliesRetention = appliesRetention
    switch try run(.manual, options, wait: nil) {
    case .busy: return .busy
    case .forbidden(let error): throw error
    case .completed(let summary): return .drained(left: summary.deferred)
    }
  }
}
