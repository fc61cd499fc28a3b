/// How a job, or a trigger that was not run, ended.
package enum Outcome: String, Sendable, Codable {
  case succeeded, failed
  case timedOut = "timed_out"
  case interrupted, expired, rejected, cancelled, skipped
}
