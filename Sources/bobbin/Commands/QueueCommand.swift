import Batch
import Posix
import Spool

struct QueueCommand {
  private let arguments: Arguments
  private let batch: Instance

  init(_ arguments: Arguments, _ batch: Instance) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    var rows: [[String]] = []
    try batch.forEachPending(at: .now()) { entry throws(SystemError) in
      if arguments.isJSON {
        try StandardStream.output.write(String(decoding: entry.json.line, as: UTF8.self))
      } else {
        rows.append([
          String(entry.position), entry.trigger.description, entry.channel ?? "-", entry.user ?? "-",
          entry.age?.brief ?? "-", entry.state.rawValue + (entry.reason.map { ": \($0)" } ?? ""),
        ])
      }
    }
    if !arguments.isJSON {
      if rows.isEmpty, !arguments.isQuiet { try Output.print("no pending triggers") }
      try Output.table(["POSITION", "TRIGGER", "CHANNEL", "USER", "AGE", "STATE"], rows)
    }
    return .done
  }
}
