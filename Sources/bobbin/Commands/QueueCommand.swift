import Batch
import Posix
import Text

struct QueueCommand: Command {
  static let name = "queue"
  static let help = CommandHelp(
    summary: "list the pending triggers",
    discussion:
      """
      Triggers run in the byte order of their file names. Shows who asked, when, and what will become of it. A file
      whose name is nearly a trigger's (cats.JSON) and a folder with triggers in it are named on standard error.
      """,
    example: "bobbin queue --json | jq -r '.trigger'")

  private let isJSON: Bool
  private let isQuiet: Bool

  init(_ arguments: Arguments) {
    isJSON = arguments.isJSON
    isQuiet = arguments.isQuiet
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let instance = try environment.instance()
    var rows: [[String]] = []
    try instance.forEachPending(asOf: .now()) { entry throws(SystemError) in
      if isJSON { return try Output.stream(entry.json.line) }
      rows.append([
        String(entry.position), entry.trigger.description, entry.channel ?? "-", entry.user ?? "-",
        entry.age?.brief ?? "-", entry.state.rawValue + (entry.reason.map { ": \($0)" } ?? ""),
      ])
    }
    for almost in try instance.almostTriggers() {
      instance.log.warning(
        "not a trigger: \(almost.reason)", ["path": almost.path, "remedy": almost.remedy])
    }
    if isJSON { return .done }
    if rows.isEmpty, !isQuiet { Output.print("no pending triggers") }
    Output.printTable(["POSITION", "TRIGGER", "CHANNEL", "USER", "AGE", "STATE"], rows)
    return .done
  }
}
