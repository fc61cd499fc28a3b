import FoundationEssentials
package import Posix

/// Where the scheduler lock is.
package struct SchedulerLockFile: Sendable {
  package let directory: Directory
  package let name: FileName

  package init(directory: Directory, name: FileName) {
    self.directory = directory
    self.name = name
  }

  /// The note in the lock file, if its writer still lives (or cannot be seen from here). The note of a dead
  /// process says nothing about who holds the lock now.
  ///
  /// A process of another boot of this host is dead, unless it is there: see `ProcessIdentity.isAlive`.
  package func livingHolder(asSeenBy owner: ProcessIdentity) throws(SystemError) -> HolderNote? {
    guard let file = try directory.openIfPresent(name) else { return nil }
    // RACE: the holder may be rewriting the note right now; if it is not readable, `tryAcquire` reads it again.
    guard let note = HolderNote(try file.readStart(limit: HolderNote.sizeLimit)),
      let writer = ProcessIdentity(FileName(note.owner))
    else { return nil }
    switch writer.isAlive(asSeenBy: owner) {
    case .some(let isAlive): return isAlive ? note : nil
    case .none:
      let isBelieved =
        writer.isOfSameBoot(as: owner) || writer.isHidden(from: owner)
        || note.host != CurrentProcess.hostName()
      return isBelieved ? note : nil
    }
  }

  /// Whether a holder has left a note, as one does that is killed.
  package func hasNote() throws(SystemError) -> Bool {
    guard let status = try directory.status(of: name) else { return false }
    return status.size > 0
  }

  /// Whether somebody holds the lock now.
  package func isHeld() throws(SystemError) -> Bool { try FileLock.isHeld(name, in: directory) }
}
