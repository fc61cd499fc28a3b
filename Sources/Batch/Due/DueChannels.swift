import Channels
import History
import Posix

/// The enabled channels, and what is remembered of them as a run changes it.
struct DueChannels {
  /// In the order of the configuration.
  let channels: [Channel]
  private let now: Timestamp
  private var states: ChannelStates

  /// - Parameter now: when the run began.
  init(_ states: ChannelStates, _ configuration: Configuration, now: Timestamp) {
    self.states = states
    self.now = now
    channels = configuration.channels.filter(\.enabled)
  }

  /// The channels whose scheduled job is due, in the order of the configuration.
  var due: [Channel] { channels.filter { due($0).isNow } }

  /// Channels whose last scheduled job has no end here yet.
  var unfinished: [(channel: Channel, job: Int64, startedAt: Timestamp)] {
    channels.compactMap { channel in
      let state = states[channel]
      guard let job = state.job, let startedAt = state.startedAt else { return nil }
      return (channel, job, startedAt)
    }
  }

  /// When the scheduled job of a channel is due.
  func due(_ channel: Channel) -> Due { states[channel].due(channel, now: now) }

  /// What a run would do about each channel.
  func plan(takesAll: Bool) -> [PlannedStep] {
    channels.map { PlannedStep(scheduled: $0, waiting: takesAll ? nil : due($0).reason) }
  }

  /// Whether a run has something to do: a channel is due, or there is something to be remembered.
  var needsRun: Bool {
    channels.contains { due($0).isNow || noted($0) != states[$0] } || !unfinished.isEmpty
  }

  /// Notes how unfinished jobs ended, that the channels were seen, and corrects times that a clock in the future left.
  ///
  /// - Parameter ended: the records of the unfinished jobs that the history knows, by their ids.
  /// - Returns: whether anything is to be saved.
  @discardableResult
  mutating func settle(_ ended: [Int64: HistoryRecord]) -> Bool {
    let before = states.states
    for channel in channels {
      if let job = states[channel].job, let record = ended[job] {
        states[channel].end(record.outcome, at: record.finishedAt)
      }
      let noted = noted(channel)
      if noted != states[channel] { states[channel] = noted }
    }
    return states.states != before
  }

  func save(to folder: Directory) throws(SystemError) { try states.write(to: folder) }

  private func noted(_ channel: Channel) -> ChannelState {
    var state = states[channel]
    state.believe(now)
    if case .schedule = channel.recurrence, state.startedAt == nil, state.seenAt == nil { state.seenAt = now }
    // Its next moment comes, but this one is not repeated.
    if !channel.rerun { state.job = nil }
    return state
  }

  /// Notes that a scheduled job begins. Returns when that is durable: the job must not begin before.
  mutating func willStart(_ channel: Channel, job: Int64, in folder: Directory) throws(SystemError) {
    if channel.recurrence == .eachRun { return }
    states[channel].startedAt = .now()
    states[channel].job = job
    try states.write(to: folder)
  }

  /// Notes how a scheduled job has ended whose record is durable.
  mutating func ended(_ channel: Channel, _ record: HistoryRecord, in folder: Directory) throws(SystemError) {
    if channel.recurrence == .eachRun, channel.backoff == nil { return }
    let before = states[channel]
    states[channel].end(record.outcome, at: record.finishedAt)
    if states[channel] != before { try states.write(to: folder) }
  }
}
