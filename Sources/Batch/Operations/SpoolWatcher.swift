import Channels
import Posix
import Spool

/// What `bobbin watch` remembers from one poll to the next.
struct SpoolWatcher {
  /// How often the path of the spool is checked.
  private static let pathInterval = Duration.seconds(5)
  /// How often a run of this process also removes old results.
  private static let retentionInterval = Duration.seconds(24 * 3_600)
  /// A change at the same instant as a poll does not show in the directory's time, which some file systems keep only to
  /// two seconds: a time as recent as this is not remembered.
  private static let timeResolution = Duration.seconds(3)
  /// How often the spool is scanned whatever its time says: on some file systems (mergerfs, sshfs) a new file does not
  /// change the time of its folder.
  private static let scanInterval = Duration.seconds(30)

  /// The clocks, and the status of the spool's folder: what a test replaces.
  struct Sources {
    var uptime: () -> MonotonicTime = { .now() }
    var time: () -> Timestamp = { .now() }
    /// Nil: the folder itself.
    var folder: (() -> FileStatus?)?
  }

  private var instance: Instance
  private let sources: Sources
  private let opened: FileStatus
  private var lastPathCheck: MonotonicTime
  /// Whether something may be left to do: what an earlier process left claimed, or was dropped while nobody watched.
  private var isDirty = true
  /// The directory's change time at the last scan, which nobody can set back; nil when it says nothing.
  private var lastChanged: Timestamp?
  private var lastScan: MonotonicTime
  private var deferred = Deferred()
  private var deferredUntil: MonotonicTime
  /// The triggers that the last runs have reported as left pending.
  private var reported: Set<FileName> = []
  private var lastRetention: MonotonicTime?

  init(_ instance: Instance, sources: Sources = Sources()) throws(SystemError) {
    self.instance = instance
    self.sources = sources
    let now = sources.uptime()
    (lastPathCheck, lastScan, deferredUntil) = (now, now, now)
    opened = try instance.spool.root.status()
  }

  /// Uses another configuration from now on. What could not be worked on is tried again: the reason may be gone.
  mutating func use(_ configuration: Configuration) {
    instance = instance.with(configuration)
    deferred = Deferred()
    isDirty = true
  }

  /// Drains the spool if it has changed.
  ///
  /// - Returns: false when the path no longer leads to the spool.
  mutating func poll() throws(SystemError) -> Bool {
    if !deferred.isEmpty, sources.uptime() >= deferredUntil {
      deferred = Deferred()
      isDirty = true
    }
    let now = sources.time()
    guard let status = try status(), status.isSameFile(as: opened) else { return false }
    if isDirty || status.changed != lastChanged || sources.uptime() - lastScan > Self.scanInterval {
      lastChanged = now - status.changed > Self.timeResolution ? status.changed : nil
      lastScan = sources.uptime()
      try drain()
    }
    return true
  }

  private mutating func status() throws(SystemError) -> FileStatus? {
    if let folder = sources.folder { return folder() }
    let root = instance.spool.root
    guard sources.uptime() - lastPathCheck > Self.pathInterval else { return try root.status() }
    lastPathCheck = sources.uptime()
    return try PathQueries.targetStatus(root.path)
  }

  private mutating func drain() throws(SystemError) {
    isDirty = false
    guard try hasWork() else { return }
    var options = RunOptions()
    options.isSpoolOnly = true
    options.deferred = deferred
    options.reported = reported
    options.appliesRetention = lastRetention.map { .now() - $0 > Self.retentionInterval } ?? true
    switch try instance.run(.manual, options, wait: .nobody) {
    case .busy: isDirty = true
    case .forbidden(let error): throw error
    case .completed(let summary):
      if options.appliesRetention { lastRetention = sources.uptime() }
      if !summary.deferred.isSubset(of: deferred) {
        deferredUntil = sources.uptime() + Instance.deferredInterval
      }
      deferred = summary.deferred
      reported = summary.deferred.pending
      lastChanged = nil
    }
  }

  /// Whether there is anything that a run could work on.
  private func hasWork() throws(SystemError) -> Bool {
    let store = try instance.openStore()
    if try instance.hasPending(except: deferred.pending) { return true }
    let abandoned = try AbandonedClaims(
      in: store[.running], observer: instance.owner, isForRecovery: true
    ).claims
    return !abandoned.allSatisfy { deferred.claimed.contains($0.trigger) }
  }
}
