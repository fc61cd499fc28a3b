import Channels
import History
import Jobs
import Posix
import Spool

/// Runs the scheduled jobs of the enabled channels that are due, in the order of the configuration. A job that fails
/// does not keep the others from running.
final class ScheduledJobs {
  private let context: RunContext
  private var due: DueChannels
  private let first: [Channel]
  /// The channels whose last job was cut short with its batch.
  private let last: [Channel]

  init(_ context: RunContext, _ recovered: Recovered, _ options: RunOptions) throws(SystemError) {
    self.context = context
    let (due, isChanged) = try context.instance.dueChannels(asOf: context.startedAt)
    self.due = due
    if isChanged { try due.save(to: context.store[.state]) }
    let cutShort = Set(due.unfinished.map(\.channel.name))
    let channels = options.takesAll ? due.channels : due.due
    last = channels.filter { $0.name == recovered.interruptedChannel || cutShort.contains($0.name) }
    let lastNames = Set(last.map(\.name))
    first = channels.filter { !lastNames.contains($0.name) }
  }

  var hasAny: Bool { !first.isEmpty || !last.isEmpty }

  func performFirst() throws(SystemError) { try perform(first) }

  /// A job that was cut short comes after the drain: it may kill this run as well, and must neither keep the others
  /// waiting each time nor take their records with it.
  func performLast() throws(SystemError) {
    if last.isEmpty { return }
    try context.ledger.flush()
    try perform(last)
  }

  private func perform(_ channels: [Channel]) throws(SystemError) {
    for channel in channels {
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
      try due.willStart(channel, job: id, in: context.store[.state])
      let job = Job(id: id, run: context.id, kind: .scheduled, channel: channel)
      switch try JobExecutor(context).execute(job, holding: channelLock) {
      case .notStarted(let shortage): throw shortage
      case .ended(let result):
        let record = HistoryRecord.job(job, result, of: nil)
        try context.ledger.finished(record)
        try due.ended(channel, record, in: context.store[.state])
        context.lock.note(job: nil)
      }
    }
  }
}
