import Channels

/// The command line, parsed: a command, its options and its operands.
struct Arguments {
  private(set) var command: Command?
  private(set) var operands: [String] = []
  private(set) var wantsVersion = false
  private var flags: Set<String> = []
  private var values: [String: String] = [:]
  /// A word that followed an option with an optional duration and is none: an operand, unless there are too many.
  private var passedBy: (option: String, word: String)?

  var isJSON: Bool { has("json") }
  var isQuiet: Bool { has("quiet") }
  var wantsHelp: Bool { has("help") }

  func has(_ option: String) -> Bool { flags.contains(option) }

  func value(_ option: String) -> String? { values[option] }

  /// The value of an option that is a duration.
  func duration(_ option: String) throws -> Duration? {
    try value(option).map { try Self.duration(option, $0) }
  }

  private static func duration(_ option: String, _ text: String) throws -> Duration {
    do throws(DurationTextError) { return try Duration(shortText: text) } catch {
      throw CommandFailure(.usage, "--\(option) \(text): \(error)")
    }
  }

  /// - Parameter words: without the program's name.
  init(_ words: [String]) throws {
    var words = words[...]
    var acceptsOptions = true
    while let word = words.popFirst() {
      if acceptsOptions, word == "--" {
        acceptsOptions = false
      } else if acceptsOptions, word.hasPrefix("-"), word != "-" {
        try parse(option: word, &words)
      } else if command == nil, word == "help" {
        flags.insert("help")
      } else if command == nil {
        guard let command = Command(rawValue: word) else {
          throw CommandFailure(
            .usage, Self.unknown("command '\(word)'", word, Command.allCases.map(\.rawValue) + ["help"]))
        }
        self.command = command
      } else {
        operands.append(word)
      }
    }
    if wantsHelp || wantsVersion { return }
    guard let command else { throw CommandFailure(.usage, "no command given; see bobbin --help") }
    try checkOptions(of: command)
  }

  private mutating func parse(option word: String, _ rest: inout ArraySlice<String>) throws {
    switch word {
    case "--version":
      wantsVersion = true
      return
    case "-h":
      flags.insert("help")
      return
    default: break
    }
    let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
      String.init)
    // The command may follow its options' names, so all commands' options are known here; which of them fit is
    // decided at the end.
    let known = Command.common + (command.map(\.options) ?? Command.allCases.flatMap(\.options))
    guard word.hasPrefix("--"), let option = known.first(where: { $0.name == parts[0] }) else {
      throw CommandFailure(
        .usage, Self.unknown("option \(word)", "--\(parts[0])", known.map { "--\($0.name)" }))
    }
    flags.insert(option.name)
    switch option.value {
    case .none:
      if parts.count > 1 { throw CommandFailure(.usage, "--\(option.name) takes no value") }
    case .required(let placeholder):
      if parts.count > 1 {
        values[option.name] = parts[1]
      } else if let next = rest.popFirst() {
        values[option.name] = next
      } else {
        throw CommandFailure(.usage, "--\(option.name) needs a value: --\(option.name) \(placeholder)")
      }
    case .optionalDuration:
      if parts.count > 1 {
        values[option.name] = parts[1]
      } else if let next = rest.first, (try? Duration(shortText: next)) != nil {
        values[option.name] = rest.popFirst()
      } else if let next = rest.first, !next.hasPrefix("-") {
        passedBy = (option.name, next)
      }
    }
  }

  private func checkOptions(of command: Command) throws {
    let known = Set((Command.common + command.options).map(\.name))
    if let foreign = flags.sorted().first(where: { !known.contains($0) }) {
      throw CommandFailure(
        .usage, "\(command.rawValue) has no option --\(foreign); see bobbin \(command.rawValue) --help"
      )
    }
    if !command.operandCount.contains(operands.count) {
      if operands.count > command.operandCount.upperBound, let (option, word) = passedBy {
        _ = try Self.duration(option, word)
      }
      let problem = operands.count < command.operandCount.lowerBound ? "needs" : "takes"
      let what = command.operands.isEmpty ? " nothing but options" : command.operands
      throw CommandFailure(
        .usage, "\(command.rawValue) \(problem)\(what); see bobbin \(command.rawValue) --help")
    }
  }

  private static func unknown(_ what: String, _ word: String, _ known: [String]) -> String {
    let suggestion = spellingSuggestion(for: word, among: known).map { "; did you mean \($0)?" } ?? "; see bobbin --help"
    return "unknown \(what)\(suggestion)"
  }
}
