/// One command of the program. Everything that the program knows about a command is in the command's own file;
/// `AllCommands` lists the commands, and parsing and help read the list.
protocol Command: Sendable {
  static var name: String { get }
  static var help: CommandHelp { get }
  /// Its own options, besides `CommandOption.common`.
  static var options: [CommandOption] { get }
  static var operands: Operands { get }
  static var needs: Set<CommandNeed> { get }

  /// - Throws: a `CommandFailure` for options and operands that make no sense together.
  init(_ arguments: Arguments) throws

  func run(in environment: CommandEnvironment) throws -> ExitStatus
}

extension Command {
  static var options: [CommandOption] { [] }
  static var operands: Operands { .none }
  static var needs: Set<CommandNeed> { [] }
}
