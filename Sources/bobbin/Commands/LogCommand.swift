import Batch
import Posix
import Spool

struct LogCommand {
  private let arguments: Arguments
  private let batch: Instance

  init(_ arguments: Arguments, _ batch: Instance) {
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
      try requireJob(id)
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
  private func requireJob(_ id: Int64) throws {
    var isKnown = false
    var record: HistoryRecord?
    try HistoryReader.forEachLineNewestFirst(in: batch.spool.root) { line in
      isKnown = HistoryReader.id(line) == id
      if isKnown { record = HistoryReader.record(line) }
      return !isKnown
    }
    if !isKnown { throw CommandFailure(.notFound, "no job with the id \(id); bobbin history lists them") }
    if let record, let what = notAJob(record) {
      throw CommandFailure(.notFound, "no job has the id \(id): \(what)")
    }
    if !arguments.isQuiet {
      batch.log.info("the job wrote nothing, or its log has been removed", ["id": String(id)])
    }
  }

  /// What a record is about that is none of a job; nil for one of a job.
  private func notAJob(_ record: HistoryRecord) -> String? {
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
    // Whether the job of one that was interrupted had begun, nobody can know.
    case .interrupted, .succeeded, .timedOut: return nil
    }
    // Of one that was cancelled it says no more than the outcome.
    let reason = record.errorMessage == record.outcome.rawValue ? nil : record.errorMessage
    let subject = record.trigger.map { "trigger \($0)" } ?? "channel \"\(record.channel ?? "-")\""
    return "\(subject) \(end)" + (reason.map { ": \($0)" } ?? "")
  }
}
