import FoundationEssentials
package import Posix
import Text

/// The lock that allows only one run at a time: `scheduler.lock`, held for the length of a run.
package struct SchedulerLock: ~Copyable {
  private let lock: FileLock
  private var note: HolderNote
  /// The job that the previous holder was running when it was killed. Nil when that holder released the lock, was
  /// between two jobs, or may not have been killed alone: a power cut says nothing about a job, and may have kept an
  /// older note.
  package let interruptedJob: HolderNote.Job?

  /// The result of an attempt to take the lock.
  package enum Attempt: ~Copyable {
    case acquired(SchedulerLock)
    /// Nil for a holder that left no note, such as `flock(1)`.
    case held(by: HolderNote?)
  }

  /// Takes the lock if it is free, without waiting, and notes who holds it.
  ///
  /// RACE: a process that only checks whether a run is active holds the lock for an instant. A holder without a note is
  /// therefore checked several times within a tenth of a second before it is believed.
  package static func tryAcquire(
    _ place: SchedulerLockFile, kind: HolderNote.Kind, startedAt: Timestamp, owner: ProcessIdentity
  ) throws(SystemError) -> Attempt {
    for attempt in 0... {
      if let lock = try FileLock.tryAcquire(place.name, in: place.directory) {
        // A holder that releases the lock removes its note.
        let left = try HolderNote(lock.file.readStart(limit: HolderNote.sizeLimit))
        let wasKilled =
          left.flatMap { ProcessIdentity(FileName($0.owner)) }?.isAlive(asSeenBy: owner) == false
        var note = HolderNote(kind: kind, startedAt: startedAt, owner: owner)
        // The job must still be recorded: by this holder, or by the next holder if this process is killed as well.
        note.job = wasKilled ? left?.job : nil
        try lock.file.replaceContent(with: note.json.line)
        return .acquired(SchedulerLock(lock: lock, note: note, interruptedJob: note.job))
      }
      if let note = try place.livingHolder(asSeenBy: owner) { return .held(by: note) }
      if attempt == 10 { break }
      try Poll.wait(until: .now() + .milliseconds(10))
    }
    return .held(by: nil)
  }

  private init(lock: consuming FileLock, note: HolderNote, interruptedJob: HolderNote.Job?) {
    self.lock = lock
    self.note = note
    self.interruptedJob = interruptedJob
  }

  /// Notes the number of the run.
  package mutating func note(run: Int64) throws(SystemError) {
    note.run = run
    try lock.file.replaceContent(with: note.json.line)
  }

  /// Notes the job that runs now, for `bobbin status` and for the next holder. Not synced: a power cut interrupts
  /// whatever is running, which says nothing about the job.
  package mutating func note(job: HolderNote.Job?) throws(SystemError) {
    note.job = job
    try lock.file.replaceContent(with: note.json.line)
  }

  /// Whether the lock file is still where every process expects it. If not, another run may begin at any time.
  package func isStillInPlace() throws(SystemError) -> Bool { try lock.isStillInPlace() }

  /// Removes the note and releases the lock.
  package consuming func release() throws(SystemError) { try lock.file.truncate(to: 0) }
}
