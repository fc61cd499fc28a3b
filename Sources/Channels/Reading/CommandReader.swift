import Text

/// Reads commands: the entries of `commands`, and the `command` of a channel, which is the name of an entry or an array
/// of its own.
struct CommandReader {
  /// The command of a channel.
  enum Template {
    /// The key is missing.
    case missing
    /// The command was refused, and the fault has been reported.
    case refused
    case arguments([String])
  }

  /// The directory to which the paths of programs are relative.
  let directory: String
  let faults: Diagnostics
  /// A command that was refused is nil: its name is known nevertheless, and one fault is enough.
  private var named: [String: [String]?] = [:]

  static let example = #"["handlers/mirror", "{url}", "{dir}"]"#

  init(directory: String, faults: Diagnostics) {
    self.directory = directory
    self.faults = faults
  }

  /// Reads all entries of `commands`, including those that no channel uses.
  mutating func define(_ commands: ObjectReader) {
    for name in commands.keys {
      guard let value = commands.value(name) else { continue }
      named[name] = .some(arguments(value, at: commands.path.appending(name)))
    }
  }

  /// The `command` of a channel, or of the defaults.
  func template(_ section: ObjectReader) -> Template {
    guard let value = section.value("command") else { return .missing }
    guard case .string(let name) = value else {
      return arguments(value, at: section.path.appending("command")).map(Template.arguments) ?? .refused
    }
    if let known = named[name] { return known.map(Template.arguments) ?? .refused }
    let suggestion =
      spellingSuggestion(for: name, among: named.keys.sorted()).map { "did you mean \($0.quoted())?" }
      ?? "write the name of an entry of commands, or an array such as \(Self.example)"
    section.refuse("command", "no command named \(name.quoted())", suggestion: suggestion)
    return .refused
  }

  private func arguments(_ value: JSON5Value, at path: ValuePath) -> [String]? {
    guard case .array(let elements) = value else {
      faults.add(
        path, "expected an array of strings, found \(value.kind)",
        suggestion: "a command does not pass through a shell; write, for example, \(Self.example)")
      return nil
    }
    guard !elements.isEmpty else {
      faults.add(path, "the command is empty", suggestion: "for example \(Self.example)")
      return nil
    }
    let checked = elements.enumerated().map { index, element in
      argument(element, isProgram: index == 0, at: path.appending(index))
    }
    guard !checked.contains(nil) else { return nil }
    return checked.compactMap(\.self)
  }

  private func argument(_ value: JSON5Value, isProgram: Bool, at path: ValuePath) -> String? {
    guard case .string(let text) = value else {
      let suggestion: String? = if case .integer(let number) = value { "write \"\(number)\"" } else { nil }
      faults.add(path, "expected text in quotes, found \(value.kind)", suggestion: suggestion)
      return nil
    }
    guard !text.unicodeScalars.contains(where: \.isUnsafeForTerminal) else {
      faults.add(path, "control character in \(text.quoted())")
      return nil
    }
    let words = Placeholder.words(in: text)
    guard isProgram else {
      var isGood = true
      for word in words where Placeholder(rawValue: word) == nil {
        let candidate = spellingSuggestion(for: word, among: Placeholder.allCases.map(\.rawValue))
        faults.add(
          path, "unknown placeholder {\(word)}",
          suggestion: candidate.map { "did you mean {\($0)}?" } ?? "there are \(Placeholder.list)")
        isGood = false
      }
      return isGood ? text : nil
    }
    guard !text.isEmpty else {
      faults.add(path, "the program is empty", suggestion: "for example \(Self.example)")
      return nil
    }
    guard words.isEmpty else {
      faults.add(
        path, "placeholder in the program's name \(text.quoted())",
        suggestion: "placeholders are replaced in the arguments after it only")
      return nil
    }
    return text.contains("/") ? PathText.absolute(text, in: directory) : text
  }
}
