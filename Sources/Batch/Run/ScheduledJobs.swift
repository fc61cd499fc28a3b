import Channels
import History
import Jobs
import Posix

/// Runs the scheduled jobs of the enabled channels, in the order of the configuration. A job that fails does not keep
/// the others from running.
struct ScheduledJobs {
  private let context: RunContext
  private let channels: [Channel]

  init(_ context: RunContext) {
    self.context = context
    channels = context.instance.configuration.channels.filter(\.enabled)
  }

  var hasAny: Bool { !channels.isEmpty }

  func perform(where isWanted: (Channel) -> Bool) throws(SystemError) {
    for channel in channels where isWanted(channel) {
      if context.isStopping { return }
      try perform(channel)
    }
  }

  private func perform(_ channel: Channel) throws(SystemError) {
    context.ledger.channelIsDue()
    try context.requireIntegrity()
    let id = try context.ids.next()
    switch try context.channelLocks.acquire(channel) {
    case .unavailable(let reason, let isFault):
      try context.ledger.skipped(channel, id: id, run: context.id, reason: reason, isFault: isFault)
    case .locked(let channelLock):
      let job = Job(id: id, run: context.id, kind: .scheduled, channel: channel)
      switch try JobExecutor(context).execute(job, holding: channelLock) {
      case .notStarted(let shortage): throw shortage
      case .ended(let result):
        try context.ledger.finished(.job(job, result, of: nil))
        context.lock.note(job: nil)
      }
    }
  }
}
