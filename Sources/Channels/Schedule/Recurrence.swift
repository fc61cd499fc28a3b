package import Posix

/// When a channel's scheduled job is due.
package enum Recurrence: Sendable, Equatable {
  /// At each run.
  case eachRun
  /// When the last scheduled start is that long ago; more than 0.
  case every(Duration)
  /// When a moment has passed since the last scheduled start.
  case schedule(CronSchedule, TimeZoneRules)
}
