import Batch
import Posix
import Spool

struct StatusCommand {
  private let arguments: Arguments
  private let batch: Instance

  init(_ arguments: Arguments, _ batch: Instance) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    let status = try batch.status()
    if arguments.isJSON {
      try Output.print(status.json)
      return .done
    }
    if status.isRunning {
      try Output.print(
        "running: \(status.holder?.description ?? "somebody who left no note holds the lock (flock?)")")
      if let job = status.holder?.job {
        let what = job.trigger.map { ", trigger \($0.printable)" } ?? ", scheduled"
        try Output.print(
          "job \(job.id): channel \(job.channel.printable)\(what), since \(job.startedAt.printable)")
      }
    } else {
      try Output.print("idle")
    }
    try Output.print("pending triggers: \(status.pending)")
    if status.abandoned > 0 {
      let (triggers, them) =
        status.abandoned == 1 ? ("1 trigger", "it") : ("\(status.abandoned) triggers", "them")
      // Who holds the lock may have begun with it, or may be no run at all.
      let who = status.isRunning ? "the run that is on, or the next," : "the next run"
      try Output.print("left by a killed process: \(triggers); \(who) recovers \(them)")
    }
    if let run = status.lastRun {
      let duration = run.duration.map { ", \($0.brief)" } ?? ""
      try Output.print(
        "last run: \(run.run ?? run.id), \(run.outcome.rawValue) at \(run.finishedAt.rfc3339())\(duration)")
    } else {
      try Output.print("last run: none")
    }
    try Output.print("")
    try Output.table(
      ["CHANNEL", "NAME", "LAST JOB", "OUTCOME", "VIDEOS", "ERROR"],
      status.channels.map { channel in
        [
          String(channel.id), channel.name + (channel.isEnabled ? "" : " (disabled)"),
          channel.last?.finishedAt.rfc3339() ?? "-", channel.last?.outcome.rawValue ?? "-",
          channel.last?.videosDownloaded.map { String($0) } ?? "-", channel.last?.errorMessage ?? "",
        ]
      })
    return .done
  }
}
