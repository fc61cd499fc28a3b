package import Channels
package import Jobs
package import Posix
package import Spool
import Text

/// What every operation on a spool needs: the configuration, the spool directory, a log, and who is asking.
package struct Instance: Sendable {
  package private(set) var configuration: Configuration
  package let spool: SpoolDirectory
  package let log: Log
  /// This process, as the owner of claims.
  package let owner: ProcessIdentity
  package let stop: StopRequest

  /// Opens the spool of a configuration.
  ///
  /// - Parameters:
  ///   - makingSpool: makes the spool directory when it is missing.
  ///   - stop: ends runs and waits early.
  package init(
    _ configuration: Configuration, log: Log, makingSpool: Bool = false, stop: StopRequest = .bySignal
  ) throws(SystemError) {
    self.configuration = configuration
    self.log = log
    self.stop = stop
    if makingSpool { try PathQueries.makeDirectories(configuration.spool) }
    spool = try SpoolDirectory(path: configuration.spool)
    owner = .current()
  }

  /// The same spool with another configuration.
  func with(_ configuration: Configuration) -> Instance {
    var instance = self
    instance.configuration = configuration
    return instance
  }

  /// The file of the scheduler lock: in the spool, unless the configuration says otherwise.
  package func lockFile() throws(SystemError) -> SchedulerLockFile {
    let (folder, name) = PathText.split(configuration.lock)
    if folder == configuration.spool {
      return SchedulerLockFile(directory: spool.root, name: FileName(name))
    }
    do throws(SystemError) {
      return SchedulerLockFile(directory: try Directory(path: folder), name: FileName(name))
    } catch {
      throw error.withRemedy(
        "this is the folder of the lock; make it, or correct \"lock\" in '\(configuration.file)'")
    }
  }

  /// Opens the folders and files of the spool that belong to the batch, and reports what others had put in their place.
  package func openStore() throws(SystemError) -> SpoolStore {
    let store = try SpoolStore(spool)
    for text in store.setAside { log.warning(text) }
    return store
  }

  /// The claims that killed processes left, for the next run to recover. Changes nothing.
  func abandonedClaims() throws(SystemError) -> [Claim] {
    guard try spool.root.status(of: SpoolFolder.running.name)?.kind == .directory else { return [] }
    let running = try spool.root.directory(SpoolFolder.running.name)
    return try AbandonedClaims(in: running, observer: owner, isForRecovery: false).claims
  }

  /// - Parameter leases: of a run; nil for a report, which makes no file to find out what a refused lease means.
  package func inspector(_ leases: Leases? = nil) -> Inspector {
    Inspector(spool.root, configuration.settleRules, leases: leases)
  }

  /// - Parameter asOf: the time by which the age of triggers is judged; nil when their age does not matter.
  package func triage(asOf: Timestamp?) -> Triage { Triage(configuration: configuration, asOf: asOf) }

  /// The names of the pending triggers, in the order in which they will run.
  func pendingTriggers() throws(SystemError) -> PendingList {
    var pending = PendingList()
    try pending.refresh(from: spool.root, skipping: [])
    return pending
  }
}
