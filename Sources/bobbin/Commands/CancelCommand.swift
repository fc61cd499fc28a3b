import Batch
import Channels
import Posix
import Text

struct CancelCommand: Command {
  static let name = "cancel"
  static let help = CommandHelp(
    summary: "take pending triggers out",
    discussion: "Moves pending triggers to cancelled/. One that is already being run is not stopped.",
    example: "bobbin cancel 20260131T103000.000000Z-7.json")
  static let options = [CommandOption("all", help: "every pending trigger", isInOperands: true)]
  static let operands = Operands.any("TRIGGER… | --all")
  static let needs: Set<CommandNeed> = [.writesSpool]

  private let names: [FileName]
  private let isAll: Bool
  private let isJSON: Bool
  private let isQuiet: Bool

  init(_ arguments: Arguments) throws {
    names = arguments.operands.map { FileName($0) }
    isAll = arguments.has("all")
    isJSON = arguments.isJSON
    isQuiet = arguments.isQuiet
    if isAll, !names.isEmpty { throw CommandFailure(.usage, "cancel takes names or --all, not both") }
    if !isAll, names.isEmpty {
      throw CommandFailure(.usage, "cancel needs the name of a trigger (bobbin queue lists them), or --all")
    }
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let instance = try environment.instance()
    return isAll ? try cancelAll(instance) : try cancelNames(instance)
  }

  private func cancelNames(_ instance: Instance) throws -> ExitStatus {
    var status = ExitStatus.done
    for (name, result) in zip(names, try instance.cancel(names)) {
      if isJSON {
        Output.print(
          .object([("trigger", .string(name.description)), ("cancelled", .bool(result == .cancelled))]))
      } else if result == .cancelled, !isQuiet {
        Output.print("cancelled \(name.description.printable)")
      }
      switch result {
      case .cancelled: break
      case .notPending:
        if !isJSON {
          instance.log.error(
            "no such pending trigger (a trigger is named by its file name, as bobbin queue shows it)",
            ["trigger": name.description, "spool": instance.configuration.spool])
        }
        if status == .done { status = .notFound }
      case .immovable(let error):
        report(name, error, instance.log)
        status = .failed
      }
    }
    return status
  }

  private func cancelAll(_ instance: Instance) throws -> ExitStatus {
    var count = 0
    var status = ExitStatus.done
    for (name, result) in try instance.cancelAll() {
      switch result {
      case .cancelled: count += 1
      // A run, or the owner of the file, was faster.
      case .notPending: break
      case .immovable(let error):
        report(name, error, instance.log)
        status = .failed
      }
    }
    if isJSON {
      Output.print(.object([("cancelled", .integer(count))]))
    } else if !isQuiet {
      Output.print("\(count) cancelled")
    }
    return status
  }

  private func report(_ name: FileName, _ error: SystemError, _ log: Log) {
    log.error(
      "trigger not cancelled: it cannot be moved: \(error.explanation)", ["trigger": name.description])
  }
}
