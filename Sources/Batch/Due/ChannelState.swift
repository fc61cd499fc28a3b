import Channels
import History
import Posix
import Text

/// What is remembered of one channel's scheduled jobs from run to run.
struct ChannelState: Sendable, Equatable {
  /// When a run first met the channel with a schedule: its first moment is the one after this.
  var seenAt: Timestamp?
  /// When its last scheduled job began.
  var startedAt: Timestamp?
  /// The id of that job, until its record is in the history.
  var job: Int64?
  /// How many scheduled jobs in a row have failed, and when the last of them ended.
  var failures = 0
  var failedAt: Timestamp?

  /// The longest rest after failures.
  private static let longestRest = Duration.seconds(86_400)

  /// Notes how the scheduled job ended. A job that was cut short keeps its id: it is due at once.
  mutating func end(_ outcome: Outcome, at time: Timestamp) {
    switch outcome {
    case .interrupted: return
    case .succeeded:
      failures = 0
      failedAt = nil
    case .failed, .timedOut, .expired, .rejected, .cancelled, .skipped:
      failures += 1
      failedAt = time
    }
    job = nil
  }

  /// Corrects times that are so far in the future that the clock must have been set back: they count as now. A clock
  /// that is an hour wrong, as one that was set by hand for the winter, is waited for instead, so that nothing runs
  /// twice.
  mutating func believe(_ now: Timestamp) {
    let latest = now + Instance.clockTolerance
    func believed(_ time: Timestamp?) -> Timestamp? { time.map { $0 > latest ? now : $0 } }
    seenAt = believed(seenAt)
    startedAt = believed(startedAt)
    failedAt = believed(failedAt)
  }

  /// When the scheduled job of a channel is due, as far as is known now.
  ///
  /// A channel that has never run is due at once with `every`, and at its next moment with `schedule`.
  func due(_ channel: Channel, now: Timestamp) -> Due {
    let rest = restEnd(channel)
    var time: Timestamp?
    var isDue: Bool
    if job != nil, channel.rerun {
      (time, isDue) = (startedAt ?? now, true)
    } else {
      switch channel.recurrence {
      case .eachRun: isDue = true
      case .every(let interval):
        let last = startedAt.map { $0 + interval }
        time = last ?? now
        // A tick of cron is never exactly on time.
        isDue = last.map { $0 + (.zero - interval / 20) <= now } ?? true
      case .schedule(let schedule, let zone):
        time = schedule.next(after: startedAt ?? seenAt ?? now, in: zone)
        isDue = time.map { $0 <= now } ?? false
        if time == nil { return .never }
      }
    }
    guard let rest, rest > now else { return isDue ? .now(since: time) : .at(time ?? now, isResting: false) }
    let isResting = time.map { $0 < rest } ?? true
    return .at(isResting ? rest : time ?? rest, isResting: isResting)
  }

  /// Until when the channel rests after failures; nil when it does not.
  private func restEnd(_ channel: Channel) -> Timestamp? {
    guard let backoff = channel.backoff, let failedAt, failures > 0 else { return nil }
    var rest = min(backoff, Self.longestRest)
    for _ in 1..<min(failures, 32) where rest < Self.longestRest { rest = min(rest * 2, Self.longestRest) }
    return failedAt + rest
  }
}
