import Text

/// The command line, parsed: a command, its options and its operands.
struct Arguments {
  private(set) var command: (any Command.Type)?
  private(set) var operands: [String] = []
  private(set) var wantsVersion = false
  private var flags: Set<String> = []
  private var values: [String: String] = [:]
  /// The word after an option with an optional duration that did not parse as one. It counts as an operand; if there are
  /// too many operands, the error names it.
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
        command = try Self.command(word)
      } else {
        operands.append(word)
      }
    }
    if wantsHelp || wantsVersion { return }
    guard let command else { throw CommandFailure(.usage, "no command given; see bobbin --help") }
    try check(for: command)
  }

  private static func command(_ word: String) throws -> any Command.Type {
    if let command = AllCommands.list.first(where: { $0.name == word }) { return command }
    throw CommandFailure(
      .usage, unknown("command '\(word)'", word, AllCommands.list.map { $0.name } + ["help"]))
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
    // The command may follow its options, so the options of all commands are known here; `check` decides which fit.
    let known =
      CommandOption.common + (command.map { $0.options } ?? AllCommands.list.flatMap { $0.options })
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

  private func check(for command: any Command.Type) throws {
    let known = Set((CommandOption.common + command.options).map(\.name))
    let hint = "see bobbin \(command.name) --help"
    if let foreign = flags.sorted().first(where: { !known.contains($0) }) {
      throw CommandFailure(.usage, "\(command.name) has no option --\(foreign); \(hint)")
    }
    let count = command.operands.count
    if count.contains(operands.count) { return }
    if operands.count > count.upperBound, let (option, word) = passedBy {
      _ = try Self.duration(option, word)
    }
    let problem = operands.count < count.lowerBound ? "needs" : "takes"
    let what = command.operands.usage.isEmpty ? "nothing but options" : command.operands.usage
    throw CommandFailure(.usage, "\(command.name) \(problem) \(what); \(hint)")
  }

  private static func unknown(_ what: String, _ word: String, _ known: [String]) -> String {
    let suggestion =
      spellingSuggestion(for: word, among: known).map { "; did you mean \($0)?" } ?? "; see bobbin --help"
    return "unknown \(what)\(suggestion)"
  }
}
