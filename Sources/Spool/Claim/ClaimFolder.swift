package import Posix

/// The claims of this process: files it moved from the spool's top level to `running/<owner>/`. The rename decides who
/// owns a trigger; nothing else does.
///
/// A final class because its folder is made with the first claim: most scans of a spool claim nothing.
package final class ClaimFolder {
  private let store: SpoolStore
  /// The name of this process' folder in `running/`.
  package let owner: FileName
  private var folder: Directory?

  package init(_ store: SpoolStore, owner: ProcessIdentity = .current()) {
    self.store = store
    self.owner = owner.folder
  }

  /// Pending → claimed. Moves a file from the spool into this process' folder.
  ///
  /// RACE: of all who try, one gets it. The file may have been exchanged or written to since it was inspected; the
  /// caller checks the claimed file (`isUnchanged`).
  ///
  /// - Returns: nil when somebody else took it, or its owner moved it away.
  package func claim(_ trigger: FileName, id: Int64, state: ClaimState) throws(SystemError) -> Claim? {
    while true {
      let claim = Claim(
        name: ClaimName(id: id, state: state, trigger: trigger), folder: try ownFolder(), owner: owner)
      switch try store.root.move(trigger, to: claim.folder, as: claim.file, isTargetOurs: true) {
      case .moved: return claim
      case .taken: throw SystemError("claim", store.root.path(of: trigger), .exists)
      case .vanished:
        // RACE: it may be our own folder that somebody has removed.
        if try claim.folder.status().links > 0 { return nil }
        folder = nil
      }
    }
  }

  /// Whether a claimed file is still the one that was inspected, with the same content and no other name, and nobody
  /// has it open for writing who could still change it.
  package func isUnchanged(_ claim: Claim, since trigger: Trigger) throws(SystemError) -> Bool {
    guard let status = try claim.folder.status(of: claim.file), status.links == 1,
      status.describesSameContent(as: trigger.file)
    else { return false }
    do throws(SystemError) {
      return try claim.folder.open(claim.file, .read).isOpenForWriting() != true
    } catch {
      // An empty file is a trigger even if the batch's user may not read it.
      if error.isRefusal, status.size == 0 { return true }
      // Its owner has just made it unreadable, or has a lease on it: not what was inspected.
      if error.isRefusal || error.code == .wouldBlock || error.code == .noSuchFile { return false }
      throw error
    }
  }

  /// Claimed, mostly by a dead process → claimed by this one, for another state.
  ///
  /// The claim is made durable before it moves on. Otherwise a power cut might lose the dead process' move out of the spool and
  /// keep this one: the trigger would be pending and claimed.
  ///
  /// - Returns: nil when it has vanished.
  package func adopt(_ abandoned: Claim, state: ClaimState) throws(SystemError) -> Claim? {
    let name = ClaimName(id: abandoned.id, state: state, trigger: abandoned.trigger)
    let claim = Claim(name: name, folder: try ownFolder(), owner: owner)
    try abandoned.folder.sync()
    try store.root.sync()
    switch try abandoned.folder.move(abandoned.file, to: claim.folder, as: claim.file, isTargetOurs: true) {
    case .moved: return claim
    case .vanished: return nil
    case .taken: throw SystemError("adopt", abandoned.folder.path(of: abandoned.file), .exists)
    }
  }

  /// Claimed → pending, under its own name.
  ///
  /// - Returns: nil when that is done. While the name is taken by a newer trigger, the claim as it stays, for the caller
  ///   to put back later or the next run to recover: what it was for before is forgotten, so that no attempt is counted
  ///   that has not begun.
  package func putBack(_ claim: Claim) throws(SystemError) -> Claim? {
    switch try claim.folder.move(claim.file, to: store.root, as: claim.trigger) {
    case .moved, .vanished: nil
    case .taken: claim.name.state == .waiting ? claim : try adopt(claim, state: .waiting)
    }
  }

  /// Makes a claim survive a power cut. Needed before a job that must never run twice.
  package func sync() throws(SystemError) {
    try folder?.sync()
    try store.root.sync()
  }

  /// Removes the folder of this process; what still stands in it stays, for the next run to recover.
  package func close() throws(SystemError) {
    guard folder != nil else { return }
    // Its lock goes with it, so it is kept as long as there is something in it.
    if try store[.running].removeDirectory(owner) { folder = nil }
  }

  private func ownFolder() throws(SystemError) -> Directory {
    if let folder { return folder }
    let running = store[.running]
    let deadline = MonotonicTime.now() + .seconds(1)
    while true {
      try running.makeDirectory(owner, mode: 0o750)
      let made: Directory
      do throws(SystemError) { made = try running.directory(owner) } catch {
        // RACE: a run that recovers found it empty and removed it.
        if error.code == .noSuchFile { continue }
        throw error
      }
      // The lock says "alive" to runs that cannot see this process: other containers, other hosts.
      if try made.tryLock() {
        guard try running.status(of: owner)?.inode == made.status().inode else { continue }
        try running.sync()
        folder = made
        return made
      }
      // RACE: a run that recovers checks for an instant whether it is locked.
      if MonotonicTime.now() >= deadline { throw SystemError("lock", made.path, .wouldBlock) }
      try Poll.wait(until: .now() + .milliseconds(2))
    }
  }
}
