import Channels
import Jobs
import Posix
import Spool

/// Runs one job inside a run, visible to `bobbin status` while it runs.
struct JobExecutor {
  private let context: RunContext

  init(_ context: RunContext) { self.context = context }

  enum Execution {
    case ended(JobResult)
    /// The batch is short of descriptors, processes, memory or disk space, and cannot go on.
    case notStarted(SystemError)
  }

  /// Runs a job under its channel's lock.
  ///
  /// A scheduled job has no claim that says that it has begun, so it is noted in the lock file before it starts, and the
  /// note stays until the caller has made the record durable.
  ///
  /// - Parameter onStopping: called before the job is cut short because the batch is asked to stop.
  /// - Throws: when the batch cannot go on.
  func execute(
    _ job: Job, holding channelLock: borrowing FileLock, onStopping: @escaping () -> Void = {}
  ) throws(SystemError) -> Execution {
    context.ledger.started(job)
    let note = HolderNote.Job(
      id: job.id, channel: job.channel.name, trigger: job.trigger?.description, startedAt: .now())
    var hasNote = job.kind == .scheduled
    if hasNote { context.lock.note(job: note) }
    if let full = context.lock.diskFull { return .notStarted(full) }
    let result = try context.jobs.run(job, holding: channelLock, onStopping: onStopping) {
      if !hasNote { context.lock.note(job: note) }
      hasNote = true
    }
    if hasNote, job.kind == .manual || result.shortage != nil { context.lock.note(job: nil) }
    if let shortage = result.shortage { return .notStarted(shortage) }
    return .ended(result)
  }
}
