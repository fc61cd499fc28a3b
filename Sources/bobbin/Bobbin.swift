import Batch
import Channels
import Posix
import Spool

/// The program: parses the command line, calls, prints, and maps errors to an exit status, here and nowhere else.
@main
struct Bobbin {
  static let version = "1.0.0"

  static func main() {
    CurrentProcess.exit(status(of: Array(CommandLine.arguments.dropFirst())))
  }

  private static func status(of words: [String]) -> Int32 {
    do {
      try CurrentProcess.prepare()
      let arguments = try Arguments(words)
      if arguments.wantsVersion {
        try Output.print("bobbin \(version)")
        return ExitStatus.done.rawValue
      }
      if arguments.wantsHelp {
        try StandardStream.output.write(arguments.command?.help ?? Command.overview)
        return ExitStatus.done.rawValue
      }
      let status = try run(arguments)
      // Whoever was asked to stop says so by its status, as the shell expects it.
      if let signal = Signals.stop { return 128 + signal }
      // A failure stays what it is; a success that could not be told is none. But the reader of a pipe (`| head`) who
      // has gone has seen enough.
      if let failure = Output.failure, !failure.isBrokenOutput {
        complain(failure.description)
        if status == .done { return ExitStatus.inputOutput.rawValue }
      }
      return status.rawValue
    } catch let failure as CommandFailure {
      if let message = failure.message { complain(message) }
      return failure.status.rawValue
    } catch let error as SystemError {
      // As above, of those that only print.
      if error.isBrokenOutput { return ExitStatus.done.rawValue }
      complain(error.description + remedy(for: error))
      return ExitStatus(error).rawValue
    } catch {
      complain("\(error)")
      return ExitStatus.inputOutput.rawValue
    }
  }

  private static func run(_ arguments: Arguments) throws -> ExitStatus {
    guard let command = arguments.command else { return .usage }
    let configuration: Configuration
    do { configuration = try ConfigurationFile.load(named: arguments.value("config")) } catch {
      // Faults are what `check` is asked for, so they are its answer as well as an error.
      if command == .check, arguments.isJSON, let failure = error as? CommandFailure {
        try? Output.print(CheckCommand.document(for: failure))
      }
      throw error
    }
    if command == .check { return try CheckCommand(arguments, configuration).run() }
    do { return try run(command, arguments, configuration) } catch let error as SystemError {
      // Its path alone does not tell that it is about the lock.
      let folder = configuration.lockFolder
      guard error.path == folder, folder != configuration.spool else { throw error }
      throw CommandFailure(
        ExitStatus(error),
        "\(error) (this is the folder of the lock; make it, or correct \"lock\" in '\(configuration.file)')")
    }
  }

  private static func run(
    _ command: Command, _ arguments: Arguments, _ configuration: Configuration
  ) throws -> ExitStatus {
    switch command {
    // Those that wait must wake up for a signal, and record what they were doing.
    case .run, .trigger, .watch: try Signals.handle()
    default: break
    }
    let isDryRun = command == .run && arguments.has("dry-run")
    let makesSpool = [.run, .watch, .trigger].contains(command) && !isDryRun
    if !makesSpool, try Path.targetStatus(configuration.spool) == nil {
      if isDryRun { return try RunCommand.dryRunWithoutSpool(arguments, configuration) }
      throw CommandFailure(
        .cannotCreate,
        "there is no spool '\(configuration.spool)' yet; bobbin run makes it (or correct \"spool\" in "
          + "'\(configuration.file)')")
    }
    let batch = try Instance(configuration, log: Log(isQuiet: arguments.isQuiet), makingSpool: makesSpool)
    switch command {
    case .run: return try RunCommand(arguments, batch).run()
    case .trigger: return try TriggerCommand(arguments, batch).run()
    case .queue: return try QueueCommand(arguments, batch).run()
    case .cancel: return try CancelCommand(arguments, batch).run()
    case .prune: return try PruneCommand(arguments, batch).run()
    case .status: return try StatusCommand(arguments, batch).run()
    case .history: return try HistoryCommand(arguments, batch).run()
    case .log: return try LogCommand(arguments, batch).run()
    case .watch: return try WatchCommand(arguments, batch).run()
    case .check: return .done
    }
  }

  /// There is no place left to report that standard error is gone.
  private static func complain(_ message: String) {
    for line in message.split(separator: "\n") {
      try? StandardStream.error.write("bobbin: \(String(line).printable)\n")
    }
  }

  private static func remedy(for error: SystemError) -> String {
    if error.isOutput { return "" }
    return switch error.code {
    case .noSpace, .quota: " (nothing more was started; free some space, pending triggers stay)"
    case .accessDenied, .notPermitted: " (run it as the spool's owner; bobbin check says more)"
    case .readOnly:
      " (its file system is mounted read-only, or is for this process: remount it, or correct the path)"
    case .tooManyOpen: " (raise the limit of open files: ulimit -n)"
    case .crossDevice: " (the spool and its folders must be on one file system, without a mount between them)"
    default: ""
    }
  }
}
