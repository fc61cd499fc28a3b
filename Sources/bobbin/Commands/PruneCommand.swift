import Batch
import Spool

struct PruneCommand {
  private let arguments: Arguments
  private let batch: Instance

  init(_ arguments: Arguments, _ batch: Instance) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    let (expired, left, removed) = try batch.prune()
    if arguments.isJSON {
      try? Output.print(
        .object([("expired", .integer(expired)), ("left", .integer(left)), ("removed", .integer(removed))]))
    } else if !arguments.isQuiet {
      let stuck = left == 0 ? "" : ", \(left) stale left that cannot be moved"
      try? Output.print("\(expired) expired\(stuck), \(removed) old files removed")
    }
    return left == 0 ? .done : .failed
  }
}
