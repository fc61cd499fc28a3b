package import Posix

/// How a job ended, all its attempts together.
package struct JobResult: Sendable {
  package internal(set) var outcome = JobOutcome.failed
  /// Set when the job could not be started because descriptors, processes or memory ran out: not the job's fault.
  package internal(set) var shortage: SystemError?
  package internal(set) var exitStatus: Int32?
  package internal(set) var signal: Int32?
  package internal(set) var items = 0
  /// How many errors of a job that succeeded were tolerated.
  package internal(set) var warnings = 0
  package internal(set) var errorMessage: String?
  /// The number of the last attempt.
  package internal(set) var attempt: Int
  package let startedAt: Timestamp
  package internal(set) var finishedAt: Timestamp
  package internal(set) var duration = Duration.zero

  init(attempt: Int, startedAt: Timestamp) {
    self.attempt = attempt
    self.startedAt = startedAt
    finishedAt = startedAt
  }
}
