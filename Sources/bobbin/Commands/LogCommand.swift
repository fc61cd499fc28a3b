import Batch
import Posix
import Spool

struct LogCommand {
  private let arguments: Arguments
  private let batch: Batch

  init(_ arguments: Arguments, _ batch: Batch) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    guard let id = Int64(arguments.operands[0]), id > 0 else {
      throw CommandFailure(.usage, "log takes the id of a job, a number that bobbin history shows")
    }
    let logs =
      try batch.spool.root.status(of: SpoolFolder.logs.name) == nil
      ? nil : batch.spool.root.directory(SpoolFolder.logs.name)
    guard let file = try logs?.openIfPresent(FileName("\(id).log")) else {
      try requireRecord(id)
      if arguments.isJSON { try Output.print(.object([("id", .integer(id)), ("log", .string(""))])) }
      return .done
    }
    if arguments.isJSON {
      let bytes = try file.readAll(limit: 64 << 20)
      try Output.print(
        .object([("id", .integer(id)), ("log", .string(String(decoding: bytes, as: UTF8.self)))]))
      return .done
    }
    // As it was written, but on a terminal nothing that could drive it.
    let bytes = try file.readAll(limit: 64 << 20)
    let text = String(decoding: bytes, as: UTF8.self)
    if StandardStream.output.isTerminal {
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        try Output.print(String(line).printable)
      }
    } else {
      try StandardStream.output.write(text)
    }
    return .done
  }

  /// A job that wrote nothing has no log; one that never was is an error.
  private func requireRecord(_ id: Int64) throws {
    var isKnown = false
    try HistoryReader.forEachLineFromEnd(in: batch.spool.root) { line in
      isKnown = HistoryReader.id(line) == id
      return !isKnown
    }
    if !isKnown { throw CommandFailure(.notFound, "no job with the id \(id); bobbin history lists them") }
    if !arguments.isQuiet {
      batch.log.info("the job wrote nothing, or its log has been removed", ["id": String(id)])
    }
  }
}
