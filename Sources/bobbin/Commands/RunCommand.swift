import Batch
import Channels
import Posix
import Spool

struct RunCommand {
  private let arguments: Arguments
  private let batch: Instance

  init(_ arguments: Arguments, _ batch: Instance) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    // Looked at in a dry run, too, which is made with the command line of the run to come.
    let wait = try arguments.duration("wait") ?? .seconds(3_600)
    if arguments.has("dry-run") { return try dryRun() }
    var options = Run.Options()
    options.isSpoolOnly = arguments.has("spool-only")
    options.appliesRetention = true
    switch try batch.run(options.isSpoolOnly ? .manual : .scheduled, options, wait: wait) {
    case .busy(let holder):
      // The shipped crontab keeps exactly this line out of cron's mail: it begins with "busy".
      batch.log.warning(
        "busy: nothing done, the scheduler lock is held by \(holder?.description ?? "an unknown process (flock?)")",
        ["lock": batch.configuration.lock])
      if arguments.isJSON {
        try? Output.print(.object([("status", .string("busy")), ("holder", holder?.json ?? .null)]))
      }
      return .temporary
    case .forbidden(let error): throw error
    case .completed(let summary):
      if arguments.isJSON {
        try? Output.print(summary.json)
      } else if !arguments.isQuiet {
        try? Output.print(text(summary))
      }
      return summary.hasFailures ? .failed : .done
    }
  }

  private func dryRun() throws -> ExitStatus {
    var printer = PlanPrinter(isJSON: arguments.isJSON)
    let isSpoolOnly = arguments.has("spool-only")
    try batch.forEachPlanned(at: .now(), isSpoolOnly: isSpoolOnly) { step throws(SystemError) in
      try printer.add(step)
    }
    try printer.finish()
    return .done
  }

  /// A run would make the spool; a dry one makes nothing. Nothing is pending then.
  static func dryRunWithoutSpool(_ arguments: Arguments, _ configuration: Configuration) throws -> ExitStatus
  {
    _ = try arguments.duration("wait")
    let channels = arguments.has("spool-only") ? [] : configuration.channels.filter(\.enabled)
    var printer = PlanPrinter(isJSON: arguments.isJSON)
    for channel in channels { try printer.add(PlannedStep(scheduled: channel)) }
    try printer.finish()
    return .done
  }

  private func text(_ summary: RunSummary) -> String {
    let (channels, triggers) = (summary.statistics.channels, summary.statistics.triggers)
    func counts(_ parts: [(Int, String)]) -> String {
      let parts = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
      return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }
    return
      "run \(summary.run) \(summary.isInterrupted ? "interrupted" : "completed") in \(summary.duration.brief)"
      + "; channels: "
      + counts([
        (channels.succeeded, "succeeded"), (channels.failed, "failed"), (channels.skipped, "skipped"),
      ]) + "; triggers: "
      + counts([
        (triggers.succeeded, "succeeded"), (triggers.failed, "failed"), (triggers.expired, "expired"),
        (triggers.rejected, "rejected"), (triggers.deferred, "deferred"),
      ]) + "; videos downloaded: \(summary.statistics.videosDownloaded)"
  }
}

/// Prints a plan, a line a step. Lines are gathered: a spool may hold a million triggers, and a system call for each
/// would take longest.
private struct PlanPrinter {
  let isJSON: Bool
  private var text: [UInt8] = []
  private var isEmpty = true

  init(isJSON: Bool) { self.isJSON = isJSON }

  mutating func add(_ step: PlannedStep) throws(SystemError) {
    isEmpty = false
    if isJSON {
      step.json.write(to: &text)
      text.append(UInt8(ascii: "\n"))
    } else {
      step.appendText(to: &text)
    }
    if text.count > 1 << 16 { try flush() }
  }

  mutating func finish() throws(SystemError) {
    if isEmpty, !isJSON { text += "nothing to do\n".utf8 }
    try flush()
  }

  private mutating func flush() throws(SystemError) {
    try StandardStream.output.write(text)
    text.removeAll(keepingCapacity: true)
  }
}
