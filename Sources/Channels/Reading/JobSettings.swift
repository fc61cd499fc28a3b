import Posix

/// The settings that a channel takes from `defaults` unless it has its own.
struct JobSettings {
  var command: CommandReader.Template = .missing
  var limit = 10
  var timing: RecurrenceReader.Timing = .eachRun
  var backoff: Duration = .zero
  var timeout: Duration = .seconds(2 * 60 * 60)
  var stall: Duration = .zero
  var stopSignal = Signals.terminate
  var grace: Duration = .seconds(10)
  var attempts = 2
  var retryDelay: Duration = .seconds(30)
  var umask: UInt32 = 0o022
  var environment: [String: String] = [:]
  var rerun = true
  var success: [Int32] = [0]
  var output = OutputRules()

  /// The keys that `overridden(by:commands:)` reads.
  static let keys = [
    "command", "limit", "every", "schedule", "backoff", "timeout", "stall", "stop_signal", "grace",
    "attempts",
    "retry_delay", "umask", "env", "rerun", "success", "error_line", "tolerate", "failure", "transient",
    "items",
  ]

  /// These settings, replaced by what `section` says. A list replaces a list; only the variables of
  /// the environment are merged.
  func overridden(by section: ObjectReader, commands: CommandReader) -> JobSettings {
    var settings = self
    let command = commands.template(section)
    if case .missing = command {} else { settings.command = command }
    settings.limit = section.positive("limit", example: 10) ?? limit
    settings.timing = RecurrenceReader.timing(section) ?? timing
    settings.backoff = section.duration("backoff", example: "15m") ?? backoff
    // A job with a timeout of zero would be killed before it began.
    settings.timeout = section.duration("timeout", example: "2h", zero: false) ?? timeout
    settings.stall = section.duration("stall", example: "10m") ?? stall
    settings.stopSignal = section.stopSignal("stop_signal") ?? stopSignal
    settings.grace = section.duration("grace", example: "10s") ?? grace
    settings.attempts = section.positive("attempts", example: 2) ?? attempts
    settings.retryDelay = section.duration("retry_delay", example: "30s") ?? retryDelay
    settings.umask = section.umask("umask") ?? umask
    settings.environment.merge(section.environment("env") ?? [:]) { _, own in own }
    settings.rerun = section.bool("rerun") ?? rerun
    settings.success = section.exitStatuses("success") ?? success
    settings.output.errorLine = section.pattern("error_line", example: "\"^ERROR\"") ?? output.errorLine
    settings.output.tolerate = section.patterns("tolerate") ?? output.tolerate
    settings.output.failure = section.patterns("failure") ?? output.failure
    settings.output.transient = section.patterns("transient") ?? output.transient
    // Empty: every line that is not blank, also where the defaults have a pattern.
    settings.output.items =
      section.isEmptyText("items") ? nil : section.pattern("items", example: "\"^>f\"") ?? output.items
    return settings
  }
}
