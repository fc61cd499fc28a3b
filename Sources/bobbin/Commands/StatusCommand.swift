import Batch
import History
import Posix
import Spool
import Text

struct StatusCommand: Command {
  static let name = "status"
  static let help = CommandHelp(
    summary: "show what is running and the last outcome of every channel",
    discussion: """
      Reads the lock, the spool and the history; never waits for a run and never disturbs one. It also says when
      each channel is due next. Triggers that a killed run left claimed are neither pending nor lost: the next run
      recovers them.
      """,
    example: "bobbin status --json | jq .state")

  private let isJSON: Bool

  init(_ arguments: Arguments) { isJSON = arguments.isJSON }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let status = try environment.instance().status()
    if isJSON {
      Output.print(status.json)
      return .done
    }
    for line in activity(status) + [pending(status), abandoned(status), lastRun(status), ""] {
      if let line { Output.print(line) }
    }
    Output.printTable(
      ["CHANNEL", "NAME", "LAST JOB", "OUTCOME", "VIDEOS", "NEXT", "ERROR"], status.channels.map(row))
    return .done
  }

  private func activity(_ status: InstanceStatus) -> [String?] {
    guard status.isRunning else { return ["idle"] }
    let holder = status.holder?.description ?? "a process that left no note holds the lock (flock?)"
    let job = status.holder?.job.map { job in
      let kind = job.trigger.map { ", trigger \($0.printable)" } ?? ", scheduled"
      return "job \(job.id): channel \(job.channel.printable)\(kind), since \(job.startedAt.printable)"
    }
    return ["running: \(holder)", job]
  }

  private func pending(_ status: InstanceStatus) -> String { "pending triggers: \(status.pending)" }

  private func abandoned(_ status: InstanceStatus) -> String? {
    if status.abandoned == 0 { return nil }
    let (triggers, them) =
      status.abandoned == 1 ? ("1 trigger", "it") : ("\(status.abandoned) triggers", "them")
    // The holder of the lock may have begun to recover them, or may not be a run at all.
    let who = status.isRunning ? "the active run, or the next," : "the next run"
    return "left by a killed process: \(triggers); \(who) recovers \(them)"
  }

  private func lastRun(_ status: InstanceStatus) -> String {
    guard let run = status.lastRun else { return "last run: none" }
    let duration = run.duration.map { ", \($0.brief)" } ?? ""
    return "last run: \(run.run ?? run.id), \(run.outcome.rawValue) at \(run.finishedAt.rfc3339())\(duration)"
  }

  private func row(_ channel: InstanceStatus.ChannelStatus) -> [String] {
    [
      String(channel.id), channel.name + (channel.isEnabled ? "" : " (disabled)"),
      channel.last?.finishedAt.rfc3339() ?? "-", channel.last?.outcome.rawValue ?? "-",
      channel.last?.videosDownloaded.map { String($0) } ?? "-", channel.due?.text ?? "-",
      channel.last?.errorMessage ?? "",
    ]
  }
}
