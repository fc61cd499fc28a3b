import Batch
import Channels
import Posix
import Spool

struct RunCommand {
  private let arguments: Arguments
  private let batch: Batch

  init(_ arguments: Arguments, _ batch: Batch) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    if arguments.has("dry-run") { return try dryRun() }
    var options = Run.Options()
    options.isSpoolOnly = arguments.has("spool-only")
    let wait = try arguments.duration("wait") ?? .seconds(3_600)
    switch try batch.run(options.isSpoolOnly ? .manual : .scheduled, options, wait: wait) {
    case .busy(let holder):
      // The shipped crontab keeps exactly this line out of cron's mail: it begins with "busy".
      batch.log.warning(
        "busy: nothing done, the scheduler lock is held by \(holder?.description ?? "an unknown process (flock?)")",
        ["lock": batch.configuration.lock])
      if arguments.isJSON {
        try Output.print(.object([("status", .string("busy")), ("holder", holder?.json ?? .null)]))
      }
      return .temporary
    case .completed(let summary):
      if arguments.isJSON {
        try Output.print(summary.json)
      } else if !arguments.isQuiet {
        try Output.print(text(summary))
      }
      return summary.hasFailures ? .failed : .done
    }
  }

  private func dryRun() throws -> ExitStatus {
    var lines = 0
    // Lines are collected: a spool may hold a million triggers, and a system call for each would take longest.
    var text = ""
    let isSpoolOnly = arguments.has("spool-only")
    try batch.forEachPlanned(at: .now(), isSpoolOnly: isSpoolOnly) { step throws(SystemError) in
      lines += 1
      text += arguments.isJSON ? String(decoding: step.json.bytes, as: UTF8.self) : step.text
      text += "\n"
      if text.utf8.count > 1 << 16 {
        try StandardStream.output.write(text)
        text = ""
      }
    }
    if lines == 0, !arguments.isJSON { text = "nothing to do\n" }
    try StandardStream.output.write(text)
    return .done
  }

  /// A run would make the spool; a dry one makes nothing. Nothing is pending then.
  static func dryRunWithoutSpool(_ arguments: Arguments, _ configuration: Configuration) throws -> ExitStatus
  {
    let channels = arguments.has("spool-only") ? [] : configuration.channels.filter(\.enabled)
    for step in channels.map(PlannedStep.init(scheduled:)) {
      if arguments.isJSON { try Output.print(step.json) } else { try Output.print(step.text) }
    }
    if channels.isEmpty, !arguments.isJSON { try Output.print("nothing to do") }
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
