import Batch
import History
import Posix
import Spool
import Text

struct LogCommand: Command {
  static let name = "log"
  static let help = CommandHelp(
    summary: "print what a job wrote",
    discussion:
      "ID is the id of a job, as bobbin history shows it. Control characters are escaped on a terminal.",
    example: "bobbin log 12")
  static let operands = Operands.one("ID")

  private static let sizeLimit = 64 << 20

  private let id: Int64
  private let isJSON: Bool
  private let isQuiet: Bool

  init(_ arguments: Arguments) throws {
    guard let id = Int64(arguments.operands[0]), id > 0 else {
      throw CommandFailure(.usage, "log takes the id of a job, a number that bobbin history shows")
    }
    self.id = id
    isJSON = arguments.isJSON
    isQuiet = arguments.isQuiet
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let instance = try environment.instance()
    let root = instance.spool.root
    let logs =
      try root.status(of: SpoolFolder.logs.name) == nil ? nil : root.directory(SpoolFolder.logs.name)
    guard let file = try logs?.openIfPresent(FileName("\(id).log")) else {
      try requireJob(instance)
      if isJSON { printJSON("") }
      return .done
    }
    let text = String(decoding: try file.readAll(limit: Self.sizeLimit), as: UTF8.self)
    if isJSON {
      printJSON(text)
    } else if Output.isTerminal {
      // The log is printed as it was written, but on a terminal without anything that could control the terminal.
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        Output.print(String(line).printable)
      }
    } else {
      Output.write(text)
    }
    return .done
  }

  private func printJSON(_ text: String) {
    Output.print(.object([("id", .integer(id)), ("log", .string(text))]))
  }

  /// A job that wrote nothing has no log; an id that is not a job's is an error.
  private func requireJob(_ instance: Instance) throws {
    var found: HistoryRecord?
    try HistoryReader.forEachLineNewestFirst(in: instance.spool.root) { line in
      // A torn line may begin with the id.
      if HistoryReader.id(line) == id { found = HistoryReader.record(line) }
      return found == nil
    }
    guard let record = found else {
      throw CommandFailure(.notFound, "no job with the id \(id); bobbin history lists them")
    }
    if let description = description(ofNonJob: record) {
      throw CommandFailure(.notFound, "no job has the id \(id): \(description)")
    }
    if !isQuiet {
      instance.log.info("the job wrote nothing, or its log has been removed", ["id": String(id)])
    }
  }

  /// Describes a record that is not a job's; nil for a job's.
  private func description(ofNonJob record: HistoryRecord) -> String? {
    if record.kind == .run {
      return "it is that of the record of run \(record.run ?? record.id), which bobbin history shows"
    }
    if record.startedAt != nil { return nil }
    let end: String
    switch record.outcome {
    case .expired: end = "expired"
    case .rejected: end = "was rejected"
    case .cancelled: end = "was cancelled"
    case .skipped: end = "was skipped"
    case .failed: end = "failed without one"
    // Nobody can know whether the job of an interrupted trigger had begun.
    case .interrupted, .succeeded, .timedOut: return nil
    }
    // The message of a cancelled trigger says no more than the outcome.
    let reason = record.errorMessage == record.outcome.rawValue ? nil : record.errorMessage
    let subject = record.trigger.map { "trigger \($0)" } ?? "channel \"\(record.channel ?? "-")\""
    return "\(subject) \(end)" + (reason.map { ": \($0)" } ?? "")
  }
}
