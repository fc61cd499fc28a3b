import Batch
import Posix
import Spool

struct CancelCommand {
  private let arguments: Arguments
  private let batch: Batch

  init(_ arguments: Arguments, _ batch: Batch) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    let names = arguments.operands.map { FileName($0) }
    if arguments.has("all") {
      if !names.isEmpty { throw CommandFailure(.usage, "cancel takes names or --all, not both") }
      let count = try batch.cancelAll()
      if arguments.isJSON {
        try Output.print(.object([("cancelled", .integer(count))]))
      } else if !arguments.isQuiet {
        try Output.print("\(count) cancelled")
      }
      return .done
    }
    if names.isEmpty {
      throw CommandFailure(.usage, "cancel which trigger? bobbin queue lists them; --all takes all")
    }
    let results = try batch.cancel(names)
    var missing = false
    for (name, result) in zip(names, results) {
      let isCancelled = result == .cancelled
      missing = missing || !isCancelled
      if arguments.isJSON {
        try Output.print(
          .object([("trigger", .string(name.description)), ("cancelled", .bool(isCancelled))]))
      } else if isCancelled {
        if !arguments.isQuiet { try Output.print("cancelled \(name.description.printable)") }
      } else {
        batch.log.error("no such pending trigger", ["trigger": name.description])
      }
    }
    return missing ? .notFound : .done
  }
}
