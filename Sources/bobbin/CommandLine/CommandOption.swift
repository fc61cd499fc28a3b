import Channels

/// One option of a command.
struct CommandOption {
  enum Value {
    case none
    case required(String)
    /// The value may follow after a space when it is a duration, otherwise after `=`.
    case optionalDuration
  }

  let name: String
  let value: Value
  let help: String
  /// Whether the operands in the usage line already name it.
  let isInOperands: Bool

  init(_ name: String, _ value: Value = .none, help: String, isInOperands: Bool = false) {
    self.name = name
    self.value = value
    self.help = help
    self.isInOperands = isInOperands
  }

  var usage: String {
    switch value {
    case .none: "--\(name)"
    case .required(let placeholder): "--\(name) \(placeholder)"
    case .optionalDuration: "--\(name) [D]"
    }
  }

  /// Every command understands these, before or after its name.
  static let common: [CommandOption] = [
    CommandOption(
      "config", .required("FILE"), help: "the configuration; see \"Configuration\" in bobbin --help"),
    CommandOption("json", help: "one JSON document (or JSON lines) on stdout"),
    CommandOption("quiet", help: "print warnings and errors only"),
    CommandOption("help", help: "this text"),
  ]
}
