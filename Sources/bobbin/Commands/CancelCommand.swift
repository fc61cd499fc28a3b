import Batch
import Channels
import Posix
import Spool

struct CancelCommand {
  private let arguments: Arguments
  private let batch: Instance

  init(_ arguments: Arguments, _ batch: Instance) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    let names = arguments.operands.map { FileName($0) }
    if arguments.has("all") {
      if !names.isEmpty { throw CommandFailure(.usage, "cancel takes names or --all, not both") }
      return try cancelAll()
    }
    if names.isEmpty {
      throw CommandFailure(.usage, "cancel which trigger? bobbin queue lists them; --all takes all")
    }
    var status = ExitStatus.done
    for (name, result) in zip(names, try batch.cancel(names)) {
      if arguments.isJSON {
        try? Output.print(
          .object([("trigger", .string(name.description)), ("cancelled", .bool(result == .cancelled))]))
      } else if result == .cancelled, !arguments.isQuiet {
        try? Output.print("cancelled \(name.description.printable)")
      }
      switch result {
      case .cancelled: break
      case .notPending:
        if !arguments.isJSON {
          batch.log.error(
            "no such pending trigger (a trigger is named by its file name, as bobbin queue shows it)",
            ["trigger": name.description, "spool": batch.configuration.spool])
        }
        if status == .done { status = .notFound }
      case .immovable(let error):
        report(name, error)
        status = .failed
      }
    }
    return status
  }

  private func cancelAll() throws -> ExitStatus {
    var count = 0
    var status = ExitStatus.done
    for (name, result) in try batch.cancelAll() {
      switch result {
      case .cancelled: count += 1
      // A run, or its owner, was faster.
      case .notPending: break
      case .immovable(let error):
        report(name, error)
        status = .failed
      }
    }
    if arguments.isJSON {
      try? Output.print(.object([("cancelled", .integer(count))]))
    } else if !arguments.isQuiet {
      try? Output.print("\(count) cancelled")
    }
    return status
  }

  private func report(_ name: FileName, _ error: SystemError) {
    batch.log.error("trigger not cancelled: it cannot be moved: \(error)", ["trigger": name.description])
  }
}
