package import Posix

/// The claims of this process: files it moved from the spool's top level to `running/<owner>/`. The rename decides who
/// owns a trigger; nothing else does.
///
/// A final class because its folder is made with the first claim: most scans of a spool claim nothing.
package final class ClaimFolder {
  private let store: SpoolStore
  /// The name of this process's folder in `running/`.
  package let owner: FileName
  private var folder: Directory?

  package init(_ store: SpoolStore, owner: ProcessIdentity = .current()) {
    self.store = store
    self.owner = owner.folder
  }

  /// Pending → claimed. Moves a file from the spool into this process's folder.
  ///
  /// RACE: several processes may try; only one gets the file. The file may have been replaced or written to since it
  /// was inspected; the caller checks the claimed file (`isUnchanged`).
  ///
  /// - Returns: nil when somebody else took it, or its owner moved it away.
  /// - Throws: an error that is immovable (`SystemError.isImmovable`) concerns this one file, and says what to do about it.
  package func claim(_ trigger: FileName, id: Int64, state: ClaimState) throws(SystemError) -> Claim? {
    while true {
      let claim = Claim(
        name: ClaimName(id: id, state: state, trigger: trigger), folder: try ownFolder(), owner: owner)
      let move: Directory.Move
      do throws(SystemError) {
        move = try store.root.move(trigger, to: claim.folder, as: claim.file, isTargetOurs: true)
      } catch { throw error.isImmovable ? error.withRemedy(remedy(for: error)) : error }
      switch move {
      case .moved: return claim
      case .taken: throw SystemError("claim", store.root.path(of: trigger), .exists)
      case .vanished:
        // RACE: somebody may have removed our own folder instead.
        if try claim.folder.status().links > 0 { return nil }
        folder = nil
      }
    }
  }

  /// What a person can do about a file that cannot be claimed.
  private func remedy(for error: SystemError) -> String {
    if error.code == .nameTooLong {
      return
        "with its number before it, its name is longer than the file system allows: give it a shorter name, or remove it"
    }
    if error.code == .crossDevice, let fileSystem = try? FileSystem(of: store.root),
      let remedy = FileSystemNote.remedyForRename(on: fileSystem)
    {
      return remedy
    }
    return "is it immutable, mounted on, or another user's directory? correct that, or remove it"
  }

  /// Whether a claimed file is still the one that was inspected, with the same content and no other name, and nobody
  /// has it open for writing who could still change it (asked only where the content is not an object: an object that parsed
  /// is complete).
  package func isUnchanged(_ claim: Claim, since trigger: Trigger) throws(SystemError) -> Bool {
    guard let status = try claim.folder.status(of: claim.file), status.links == 1,
      status.describesSameContent(as: trigger.file)
    else { return false }
    do throws(SystemError) {
      return try store.leases.isOpenForWriting(claim.folder.open(claim.file, .read)) != true
    } catch {
      // An empty file is a trigger even if the batch's user may not read it.
      if error.isRefusal, status.size == 0 { return true }
      // Its owner has just made it unreadable, or has a lease on it: it is not the file that was inspected.
      if error.isRefusal || error.code == .wouldBlock || error.code == .noSuchFile { return false }
      throw error
    }
  }

  /// Claimed, usually by a dead process → claimed by this process, in another state.
  ///
  /// The claim is made durable before it moves on. Otherwise a power cut might lose the dead process's move out of the
  /// spool and keep this move: the trigger would be both pending and claimed.
  ///
  /// - Returns: nil when it has vanished. Where the name of the new state is longer than the file system allows, the claim
  ///   keeps its state.
  package func adopt(_ abandoned: Claim, state: ClaimState) throws(SystemError) -> Claim? {
    let name = ClaimName(id: abandoned.id, state: state, trigger: abandoned.trigger)
    let folder = try ownFolder()
    try abandoned.folder.sync()
    try store.root.sync()
    do throws(SystemError) {
      return try move(abandoned, to: Claim(name: name, folder: folder, owner: owner))
    } catch {
      guard error.code == .nameTooLong else { throw error }
      if abandoned.owner == owner { return abandoned }
      return try move(
        abandoned, to: Claim(name: abandoned.name, file: abandoned.file, folder: folder, owner: owner))
    }
  }

  private func move(_ abandoned: Claim, to claim: Claim) throws(SystemError) -> Claim? {
    switch try abandoned.folder.move(abandoned.file, to: claim.folder, as: claim.file, isTargetOurs: true) {
    case .moved: return claim
    case .vanished: return nil
    case .taken: throw SystemError("adopt", abandoned.folder.path(of: abandoned.file), .exists)
    }
  }

  /// Claimed → claimed, for another state, durably. The corresponding C functions are `renameat2(2)` and `fsync(2)`.
  ///
  /// - Throws: also when the claim has vanished, which nobody but its owner may make it.
  package func mark(_ claim: Claim, _ state: ClaimState) throws(SystemError) -> Claim {
    let name = ClaimName(id: claim.id, state: state, trigger: claim.trigger)
    let marked = Claim(name: name, folder: claim.folder, owner: claim.owner)
    switch try claim.folder.move(claim.file, to: claim.folder, as: marked.file, isTargetOurs: true) {
    case .moved: break
    case .vanished: throw SystemError("mark", claim.folder.path(of: claim.file), .noSuchFile)
    case .taken: throw SystemError("mark", claim.folder.path(of: claim.file), .exists)
    }
    try claim.folder.sync()
    return marked
  }

  /// Claimed → pending, under its own name.
  ///
  /// - Returns: nil when the claim was put back or has vanished. While a newer trigger has the name, the claim in its
  ///   waiting state, for the caller to put back later or the next run to recover: its former state is forgotten, so
  ///   that an attempt that has not begun is not counted.
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

  /// Removes the folder of this process if it is empty; otherwise the next run recovers what is left in it.
  package func close() throws(SystemError) {
    guard folder != nil else { return }
    // The folder's lock goes with the folder, so both are kept as long as there is something in it.
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
        // RACE: a recovering run found the folder empty and removed it.
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
      // RACE: a recovering run that checks the folder holds its lock for an instant.
      if MonotonicTime.now() >= deadline { throw SystemError("lock", made.path, .wouldBlock) }
      try Poll.wait(until: .now() + .milliseconds(2))
    }
  }
}
