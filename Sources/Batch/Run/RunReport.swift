package import History

/// What one holding of the scheduler lock did.
package struct RunReport: Sendable {
  /// The number of the run.
  package let id: Int64
  package let statistics: RunStatistics
  package let deferred: Deferred
  /// Whether something went wrong that is not the failure of a job.
  package let hasFaults: Bool
}
