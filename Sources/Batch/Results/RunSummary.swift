package import History
package import Text

/// What `bobbin run` did, all holdings of the lock together.
package struct RunSummary: Sendable {
  /// The number of the first run; nil when there was nothing to do, so that no run was made.
  package let run: Int64?
  package let statistics: RunStatistics
  package let duration: Duration
  package let isInterrupted: Bool
  /// Whether something went wrong that is not the failure of a job.
  package let hasFaults: Bool
  /// The triggers that stay in the spool because this run could not work on them.
  package let deferred: Deferred

  package var hasFailures: Bool {
    statistics.channels.failed > 0 || statistics.triggers.failed > 0 || hasFaults
  }

  package var json: JSONValue {
    .object(
      [("status", .string(isInterrupted ? "interrupted" : "completed")), ("run", .optional(run))]
        + statistics.counts + [
          ("videos_downloaded", .integer(statistics.videosDownloaded)), ("duration_s", .seconds(duration)),
        ])
  }
}
