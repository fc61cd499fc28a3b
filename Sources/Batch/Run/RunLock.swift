import Jobs
import Posix
import Spool

/// The scheduler lock as a run holds it, with the note on the job that is running.
final class RunLock {
  private var lock: SchedulerLock?
  private let log: Log
  private let path: String
  /// The scheduled job during which the previous holder was killed, and which nobody has recorded.
  let interruptedJob: HolderNote.Job?
  /// ENOSPC while writing a note. The current job is still recorded; nothing new starts.
  private(set) var diskFull: SystemError?

  /// - Parameter path: the path of the lock file, for messages.
  init(_ lock: consuming SchedulerLock, log: Log, path: String) {
    interruptedJob = lock.interruptedJob
    self.lock = consume lock
    self.log = log
    self.path = path
  }

  /// Notes the number of the run.
  func note(run: Int64) throws(SystemError) { try lock?.note(run: run) }

  /// Notes the job that is running, for `bobbin status` and for the next holder. A note that cannot be written stops
  /// nothing, unless the disk is full.
  func note(job: HolderNote.Job?) {
    do throws(SystemError) { try lock?.note(job: job) } catch {
      log.warning("cannot note the current job: \(error)")
      if error.isDiskFull { diskFull = diskFull ?? error }
    }
  }

  /// Throws when the lock file was removed or replaced: another run may begin at any time.
  func requireInPlace() throws(SystemError) {
    if try lock?.isStillInPlace() == true { return }
    throw SystemError("continue without the lock file (it was removed or replaced)", path, .noSuchFile)
  }

  /// Removes the note and releases the lock.
  func release() throws(SystemError) { try lock.take()?.release() }
}
