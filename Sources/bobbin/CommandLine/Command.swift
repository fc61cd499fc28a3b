import Posix

/// One command of the program. All that the program knows of a command is in the command's own file; `AllCommands` lists
/// them, and parsing and help read the list.
protocol Command: Sendable {
  static var name: String { get }
  static var help: CommandHelp { get }
  /// Its own options, besides `CommandOption.common`.
  static var options: [CommandOption] { get }
  static var operands: Operands { get }
  static var needs: Set<CommandNeed> { get }
  /// The signals that ask it to stop; each of them is its exit status then.
  static var signals: [Int32] { get }

  /// - Throws: a `CommandFailure` for options and operands that make no sense together.
  init(_ arguments: Arguments) throws

  func run(in environment: CommandEnvironment) throws -> ExitStatus
}

extension Command {
  static var options: [CommandOption] { [] }
  static var operands: Operands { .none }
  static var needs: Set<CommandNeed> { [] }
  static var signals: [Int32] { Signals.askingToStop }
}
