import Batch
import Channels
import History
import Posix
import Spool
import Text

struct RunCommand: Command {
  static let name = "run"
  static let help = CommandHelp(
    summary: "run the scheduled channels, then drain the spool",
    discussion: """
      Takes the scheduler lock, finishes what a crashed run left, expires stale triggers, runs every enabled
      channel that is due in the order of the configuration, and then drains the spool in the order of file names.
      If nothing is due, pending or to be recovered, it makes no run and writes nothing; `run` is
      then null in the summary of --json.
      If another run holds the lock it does nothing and exits with 75 (--busy-ok: 0). It waits up to an hour for a
      manual run to end; with --wait, up to D for whoever holds the lock.
      """,
    example: "*/15 * * * *  bobbin --quiet run           # a crontab line")
  static let options = [
    CommandOption("spool-only", help: "leave out the scheduled channels"),
    CommandOption("all", help: "run every enabled channel, due or not"),
    CommandOption("dry-run", help: "change nothing; print what would be done, in order"),
    CommandOption("wait", .required("D"), help: "how long to wait for whatever run or script holds the lock"),
    CommandOption("busy-ok", help: "say nothing and exit with 0 when another run is active"),
  ]
  static let needs: Set<CommandNeed> = [.signals, .makesSpool, .writesSpool]

  private let isSpoolOnly: Bool
  private let takesAll: Bool
  private let isDryRun: Bool
  private let wait: LockWait
  private let isBusyOK: Bool
  private let isJSON: Bool
  private let isQuiet: Bool

  init(_ arguments: Arguments) throws {
    isSpoolOnly = arguments.has("spool-only")
    takesAll = arguments.has("all")
    if isSpoolOnly, takesAll { throw CommandFailure(.usage, "--all and --spool-only exclude each other") }
    isDryRun = arguments.has("dry-run")
    wait = try arguments.duration("wait").map { .anyHolder($0) } ?? .manualRun(.seconds(3_600))
    isBusyOK = arguments.has("busy-ok")
    isJSON = arguments.isJSON
    isQuiet = arguments.isQuiet
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    if isDryRun { return try dryRun(environment) }
    let instance = try environment.instance()
    var options = RunOptions()
    options.isSpoolOnly = isSpoolOnly
    options.takesAll = takesAll
    options.appliesRetention = true
    let result: RunResult
    do throws(SystemError) {
      result = try instance.run(isSpoolOnly ? .manual : .scheduled, options, wait: wait)
    } catch {
      if isJSON, error.isDiskFull, !error.isOutput { Output.print(noSpace(error, instance)) }
      throw error
    }
    switch result {
    case .busy(let holder):
      if isJSON { Output.print(.object([("status", .string("busy")), ("holder", holder?.json ?? .null)])) }
      if isBusyOK { return .done }
      instance.log.warning(
        "busy: nothing done, the scheduler lock is held by \(holder?.description ?? "an unknown process (flock?)")",
        ["lock": instance.configuration.lock])
      return .temporary
    case .forbidden(let error): throw error
    case .completed(let summary):
      if isJSON { Output.print(summary.json) } else if !isQuiet { Output.print(text(summary)) }
      return summary.hasFailures ? .failed : .done
    }
  }

  /// Exit status 75 also means "busy"; this says that the disk is full, and where.
  private func noSpace(_ error: SystemError, _ instance: Instance) -> JSONValue {
    let path: String? = if case .path(let path) = error.subject { path } else { nil }
    let free = error.space?.free ?? (try? instance.spool.root.space(needed: 0).free)
    return .object([
      ("status", .string("no_space")), ("path", .optional(path)), ("free_bytes", .optional(free)),
      ("needed_bytes", .optional(error.space?.needed)), ("message", .string(error.description)),
    ])
  }

  /// A run would make the spool; a dry run makes nothing. Nothing is pending in a spool that is missing.
  private func dryRun(_ environment: CommandEnvironment) throws -> ExitStatus {
    let configuration = try environment.configuration()
    var printer = PlanPrinter(isJSON: isJSON)
    if let instance = try environment.existingInstance(configuration) {
      try instance.forEachPlanned(asOf: .now(), isSpoolOnly: isSpoolOnly, takesAll: takesAll) {
        step throws(SystemError) in
        try printer.add(step)
      }
    } else if !isSpoolOnly {
      for step in PlannedStep.firstRun(of: configuration, asOf: .now(), takesAll: takesAll) {
        try printer.add(step)
      }
    }
    try printer.finish()
    return .done
  }

  private func text(_ summary: RunSummary) -> String {
    let (channels, triggers) = (summary.statistics.channels, summary.statistics.triggers)
    func counts(_ parts: [(Int, String)]) -> String {
      let parts = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
      return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }
    let warnings = summary.statistics.warnings
    let run =
      summary.run.map { "run \($0) \(summary.isInterrupted ? "interrupted" : "completed")" }
      ?? "nothing to do"
    return
      (summary.run == nil ? run : "\(run) in \(summary.duration.brief)")
      + "; channels: "
      + counts([
        (channels.succeeded, "succeeded"), (channels.failed, "failed"), (channels.skipped, "skipped"),
      ]) + "; triggers: "
      + counts([
        (triggers.succeeded, "succeeded"), (triggers.failed, "failed"), (triggers.expired, "expired"),
        (triggers.rejected, "rejected"), (triggers.deferred, "deferred"),
      ]) + "; videos downloaded: \(summary.statistics.videosDownloaded)"
      + (warnings == 0 ? "" : "; warnings: \(warnings)")
  }
}
