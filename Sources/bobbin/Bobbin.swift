import Posix
import Text

/// The program: parses the command line, runs a command, and maps errors to an exit status, here and nowhere else.
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
      let status = try run(arguments)
      // A program that was asked to stop says so by its status, as the shell expects it.
      let signals = arguments.command?.signals ?? Signals.askingToStop
      if let signal = Signals.stop(among: signals) { return 128 + signal }
      // A failure keeps its status. A success whose output failed becomes EX_IOERR, except EPIPE: `| head` has what it
      // wanted.
      if let failure = Output.failure, !failure.isBrokenOutput {
        complain(failure.description)
        if status == .done { return ExitStatus.inputOutput.rawValue }
      }
      return status.rawValue
    } catch let failure as CommandFailure {
      if let message = failure.message { complain(message) }
      return failure.status.rawValue
    } catch let error as SystemError {
      if error.isBrokenOutput { return ExitStatus.done.rawValue }
      complain(error.description + remedy(for: error))
      return ExitStatus(error).rawValue
    } catch {
      complain("\(error)")
      return ExitStatus.inputOutput.rawValue
    }
  }

  private static func run(_ arguments: Arguments) throws -> ExitStatus {
    if arguments.wantsVersion {
      Output.print("bobbin \(version)")
      return .done
    }
    guard !arguments.wantsHelp, let type = arguments.command else {
      Output.write(arguments.command.map(Help.text) ?? Help.overview)
      return .done
    }
    let command = try type.init(arguments)
    if type.needs.contains(.signals) { try Signals.handle() }
    return try command.run(in: CommandEnvironment(arguments, needs: type.needs))
  }

  /// If standard error is gone, nothing is left to report that to.
  private static func complain(_ message: String) {
    for line in message.split(separator: "\n") {
      try? StandardStream.error.write("bobbin: \(String(line).printable)\n")
    }
  }

  private static func remedy(for error: SystemError) -> String {
    if let remedy = error.remedy { return " (\(remedy))" }
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
