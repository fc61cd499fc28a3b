/// How a job ended. A job that was not started has no outcome.
package enum JobOutcome: Sendable {
  case succeeded, failed, timedOut
  /// The batch was asked to stop while the job ran, or while it waited for another attempt.
  case interrupted
}
