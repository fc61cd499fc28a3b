import Channels
import History
import Jobs
import Posix
import Spool

/// The records that the batch writes, one maker for each occasion.
extension HistoryRecord {
  /// A job that ended.
  ///
  /// - Parameters:
  ///   - trigger: the trigger that asked for the job; nil for a scheduled job.
  ///   - isRequeued: the job was stopped with the batch, and its trigger is put back.
  static func job(
    _ job: Job, _ result: JobResult, of trigger: Trigger?, isRequeued: Bool = false
  ) -> HistoryRecord {
    HistoryRecord(
      id: job.id, run: job.run, kind: Kind(job.kind), channelID: job.channel.id, channel: job.channel.name,
      trigger: job.trigger, user: job.user, uid: trigger?.file.owner, requestedAt: trigger?.requestedAt,
      startedAt: result.startedAt, finishedAt: result.finishedAt, duration: result.duration,
      attempt: result.attempt, outcome: Outcome(result.outcome),
      warnings: (trigger?.warnings.count ?? 0) + result.warnings, exitStatus: result.exitStatus,
      signal: result.signal, videosDownloaded: result.items, errorMessage: result.errorMessage,
      isRequeued: isRequeued)
  }

  /// A trigger that ends without a job of this run.
  ///
  /// - Parameter attempt: how often its job was started by runs that were killed.
  static func unrun(
    _ claim: Claim, _ outcome: Outcome, run: Int64?, reason: String, uid: UInt32?, trigger: Trigger? = nil,
    channel: Channel? = nil, attempt: Int? = nil
  ) -> HistoryRecord {
    HistoryRecord(
      id: claim.id, run: run, kind: .manual, channelID: channel?.id, channel: channel?.name,
      trigger: claim.trigger, user: trigger?.user, uid: uid, requestedAt: trigger?.requestedAt,
      finishedAt: .now(), attempt: attempt, outcome: outcome, warnings: trigger?.warnings.count ?? 0,
      errorMessage: reason)
  }

  /// A scheduled job that was not started.
  static func skipped(
    id: Int64, run: Int64, _ channel: Channel, _ outcome: Outcome, reason: String
  ) -> HistoryRecord {
    HistoryRecord(
      id: id, run: run, kind: .scheduled, channelID: channel.id, channel: channel.name, finishedAt: .now(),
      outcome: outcome, errorMessage: reason)
  }

  /// A scheduled job during which an earlier run was killed.
  ///
  /// - Parameter channel: nil when it is not configured any more.
  static func interrupted(_ job: HolderNote.Job, run: Int64, channel: Channel?) -> HistoryRecord {
    HistoryRecord(
      id: job.id, run: run, kind: .scheduled, channelID: channel?.id, channel: job.channel,
      startedAt: Timestamp(rfc3339: job.startedAt), finishedAt: .now(), outcome: .interrupted,
      errorMessage: "cut short by a crash of the batch")
  }

  /// A run.
  static func run(
    _ run: Int64, id: Int64, startedAt: Timestamp, duration: Duration, outcome: Outcome,
    statistics: RunStatistics
  ) -> HistoryRecord {
    HistoryRecord(
      id: id, run: run, kind: .run, startedAt: startedAt, finishedAt: .now(), duration: duration,
      outcome: outcome, warnings: statistics.warnings, videosDownloaded: statistics.videosDownloaded,
      statistics: statistics)
  }
}

extension HistoryRecord.Kind {
  fileprivate init(_ kind: JobKind) {
    switch kind {
    case .scheduled: self = .scheduled
    case .manual: self = .manual
    }
  }
}

extension Outcome {
  fileprivate init(_ outcome: JobOutcome) {
    switch outcome {
    case .succeeded: self = .succeeded
    case .failed: self = .failed
    case .timedOut: self = .timedOut
    case .interrupted: self = .interrupted
    }
  }
}
