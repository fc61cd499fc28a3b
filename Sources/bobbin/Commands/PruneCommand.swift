import Batch
import Spool

struct PruneCommand {
  private let arguments: Arguments
  private let batch: Batch

  init(_ arguments: Arguments, _ batch: Batch) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    let (expired, removed) = try batch.prune()
    if arguments.isJSON {
      try Output.print(.object([("expired", .integer(expired)), ("removed", .integer(removed))]))
    } else if !arguments.isQuiet {
      try Output.print("\(expired) expired, \(removed) old files removed")
    }
    return .done
  }
}
