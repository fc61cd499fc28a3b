package import Posix

/// A trigger that a process has made its own.
package struct Claim: Sendable {
  package let name: ClaimName
  /// The owner's folder in `running/`.
  package let folder: Directory

  package init(name: ClaimName, folder: Directory) {
    self.name = name
    self.folder = folder
  }

  package var id: Int64 { name.id }
  package var trigger: FileName { name.trigger }
  package var file: FileName { name.file }
}

/// The claims of this process: files it moved from the spool's top level to `running/<owner>/`. The rename decides who
/// owns a trigger; nothing else does.
///
/// A final class because its folder is made with the first claim: most looks into a spool claim nothing.
package final class ClaimFolder {
  private let store: SpoolStore
  package let owner: ProcessIdentity
  private var folder: Directory?

  package init(_ store: SpoolStore, owner: ProcessIdentity = .current()) {
    self.store = store
    self.owner = owner
  }

  /// Pending → claimed. Moves a file from the spool into this process' folder.
  ///
  /// RACE: of all who try, one gets it. What was looked at before may have been exchanged or written to since; the
  /// caller looks at the claimed file again (`isUnchanged`).
  ///
  /// - Returns: nil when somebody else took it, or its owner moved it away.
  package func claim(_ trigger: FileName, id: Int64, state: ClaimState) throws(SystemError) -> Claim? {
    while true {
      let claim = Claim(name: ClaimName(id: id, state: step, trigger: trigger), folder: try ownFolder())
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
  /// has it open for writing who could still change it (asked only where the content is no object: an object that parsed
  /// is complete).
  package func isUnchanged(_ claim: Claim, since trigger: Trigger) throws(SystemError) -> Bool {
    guard let status = try claim.folder.status(of: claim.file), status.links == 1,
      status.describesSameContent(as: trigger.file)
    else { return false }
    if case .object = trigger.content { return true }
    do throws(SystemError) {
      return try claim.folder.open(claim.file, .read).isOpenForWriting() != true
    } catch {
      // Its owner has just made it unreadable, or has a lease on it: not what was inspected.
      if error.isRefusal || error.code == .wouldBlock || error.code == .noSuchFile { return false }
      throw error
    }
  }

  /// Claimed, mostly by a dead process → claimed by this one, for another step.
  ///
  /// The claim is made durable before it moves on. Else a power cut might lose the dead process' move out of the spool and
  /// keep this one: the trigger would be pending and claimed.
  ///
  /// - Returns: nil when it is not there any more.
  package func adopt(_ abandoned: Claim, state: ClaimState) throws(SystemError) -> Claim? {
    let name = ClaimName(id: abandoned.id, state: step, trigger: abandoned.trigger)
    let claim = Claim(name: name, folder: try ownFolder())
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
    if try store[.running].removeDirectory(owner.folder) { folder = nil }
  }

  private func ownFolder() throws(SystemError) -> Directory {
    if let folder { return folder }
    let running = store[.running]
    let deadline = MonotonicTime.now() + .seconds(1)
    while true {
      try running.makeDirectory(owner.folder, mode: 0o750)
      let made: Directory
      do throws(SystemError) { made = try running.directory(owner.folder) } catch {
        // RACE: a run that recovers found it empty and removed it.
        if error.code == .noSuchFile { continue }
        throw error
      }
      // The lock says "alive" to runs that cannot see this process: other containers, other hosts.
      if try made.tryLock() {
        guard try running.status(of: owner.folder)?.inode == made.status().inode else { continue }
        try running.sync()
        folder = made
        return made
      }
      // RACE: a run that recovers looks whether it is locked, for an instant.
      if MonotonicTime.now() >= deadline { throw SystemError("lock", made.path, .wouldBlock) }
      try Poll.wait(until: .now() + .milliseconds(2))
    }
  }
}

/// What dead processes left in `running/`.
package struct AbandonedClaims {
  package var claims: [Claim] = []
  /// Paths of entries that are not Bobbin's.
  package var foreign: [String] = []

  /// Looks for claims whose owner is dead. Those of a living process of this host are left alone, also when the lock of
  /// the scheduler is broken; those of another host or container as long as the kernel knows its lock.
  ///
  /// - Parameters:
  ///   - running: the spool's folder of that name.
  ///   - observer: this process, whose own claims are not abandoned.
  ///   - isForRecovery: takes the folders' locks for as long as the claims live, and removes folders in which dead
  ///     processes left nothing. Who only wants to tell what is there takes no lock where it can be told without: a run
  ///     that begins at that moment would pass over what it is to recover.
  package init(in running: Directory, observer: ProcessIdentity, isForRecovery: Bool) throws(SystemError) {
    for name in try running.names() {
      guard let owner = ProcessIdentity(name) else {
        foreign.append(running.path(of: name))
        continue
      }
      let isAlive = owner.isAlive(asSeenBy: observer)
      if owner == observer || isAlive == true { continue }
      let folder: Directory
      let files: [FileName]
      // RACE: a short-lived owner (`bobbin cancel`) or a run that recovers may remove the folder at this moment.
      do throws(SystemError) {
        folder = try running.directory(name)
        if isForRecovery || isAlive == nil, try !Self.lock(folder) { continue }
        files = try folder.names()
      } catch {
        switch error.code {
        case .noSuchFile: continue
        case .notDirectory, .tooManyLinks:
          foreign.append(running.path(of: name))
          continue
        default: throw error
        }
      }
      var isEmpty = true
      for file in files {
        isEmpty = false
        if let claim = ClaimName(file) {
          claims.append(Claim(name: claim, folder: folder))
        } else {
          foreign.append(folder.path(of: file))
        }
      }
      if isEmpty, isForRecovery { try running.removeDirectory(name) }
    }
    claims.sort { ($0.trigger, $0.id) < ($1.trigger, $1.id) }
  }

  /// Locks the folder of an owner that seems to be dead.
  ///
  /// - Returns: false when it lives after all. RACE: somebody else who looks holds the lock for an instant.
  private static func lock(_ folder: Directory) throws(SystemError) -> Bool {
    for _ in 1...10 {
      if try folder.tryLock() { return true }
      CurrentProcess.pause(for: .milliseconds(2))
    }
    return false
  }

  /// Removes the folders that have become empty.
  package static func removeEmptyFolders(of claims: [Claim], in store: SpoolStore) throws(SystemError) {
    for path in Set(claims.map(\.folder.path)) {
      guard let slash = path.lastIndex(of: "/") else { continue }
      try store[.running].removeDirectory(FileName(String(path[path.index(after: slash)...])))
    }
  }
}
