package import Posix

/// What dead processes left in `running/`.
package struct AbandonedClaims {
  package var claims: [Claim] = []
  /// Paths of entries that are not Bobbin's.
  package var foreign: [String] = []

  /// Finds the claims whose owner is dead. Claims of a living process of this host are left alone, even if the
  /// scheduler lock is broken; claims of another host or container are left alone as long as the kernel knows the lock
  /// on their folder.
  ///
  /// - Parameters:
  ///   - running: the spool's folder of that name.
  ///   - observer: this process, whose own claims are not abandoned.
  ///   - isForRecovery: takes the folders' locks for as long as the claims live, and removes folders in which dead
  ///     processes left nothing. A caller that only reports avoids taking locks where it can: a run that begins at that
  ///     instant would pass over the claims that it should recover.
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
      // RACE: a short-lived owner (`bobbin cancel`) or a recovering run may remove the folder right now.
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
          claims.append(Claim(name: claim, file: file, folder: folder, owner: name))
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
  /// - Returns: false when the owner lives after all. RACE: another process that checks the folder holds its lock for
  ///   an instant.
  private static func lock(_ folder: Directory) throws(SystemError) -> Bool {
    for _ in 1...10 {
      if try folder.tryLock() { return true }
      CurrentProcess.pause(for: .milliseconds(2))
    }
    return false
  }

  /// Removes the folders that have become empty.
  package static func removeEmptyFolders(of claims: [Claim], in store: SpoolStore) throws(SystemError) {
    for owner in Set(claims.map(\.owner)) { try store[.running].removeDirectory(owner) }
  }
}
