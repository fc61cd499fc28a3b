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
  package func livingHolder(asSeenBy owner: ProcessIdentity) throws(SystemError) -> HolderNote? {
    guard let file = try directory.openIfPresent(name) else { return nil }
    // RACE: the holder may be rewriting the note right now; if it is not readable, `tryAcquire` reads it again.
    guard let note = HolderNote(try file.readStart(limit: HolderNote.sizeLimit)),
      let name = ProcessIdentity(FileName(note.owner)), name.isAlive(asSeenBy: owner) != false,
      name.isOfSameBoot(as: owner) || note.host != CurrentProcess.hostName()
    else { return nil }
    return note
  }

  /// Whether somebody holds the lock now.
  package func isHeld() throws(SystemError) -> Bool { try FileLock.isHeld(name, in: directory) }
}
