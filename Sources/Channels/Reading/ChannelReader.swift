import Text

/// Reads the entries of `channels`, and checks that no two entries have the same id or name.
struct ChannelReader {
  let library: String
  let defaults: JobSettings
  let commands: CommandReader
  let recurrences: RecurrenceReader
  let faults: Diagnostics

  private var pathsByID: [Int64: ValuePath] = [:]
  private var pathsByName: [String: ValuePath] = [:]

  init(
    library: String, defaults: JobSettings, commands: CommandReader, recurrences: RecurrenceReader,
    faults: Diagnostics
  ) {
    self.library = library
    self.defaults = defaults
    self.commands = commands
    self.recurrences = recurrences
    self.faults = faults
  }

  /// The channel, or nil when it cannot be made; a fault then says why.
  mutating func channel(_ value: JSON5Value, at path: ValuePath) -> Channel? {
    guard let section = ObjectReader(value, at: path, faults: faults) else { return nil }
    let id = readID(section)
    let name = readName(section)
    let url = readURL(section)
    let enabled = section.bool("enabled") ?? true
    let settings = defaults.overridden(by: section, commands: commands)
    let recurrence = recurrences.recurrence(settings.timing, section)
    section.finish(elsewhere: Configuration.topKeys)

    let command: [String]
    switch settings.command {
    case .arguments(let arguments): command = arguments
    case .refused: return nil
    case .missing:
      section.refuse(
        "command", "missing",
        suggestion: "write the name of an entry of commands, or an array such as \(CommandReader.example)")
      return nil
    }
    let usesURL = command.contains { Placeholder.words(in: $0).contains(Placeholder.url.rawValue) }
    if url == "" && usesURL {
      section.refuse(
        "url", "missing, but the command uses {url}", suggestion: "for example url: \"https://…\"")
    }
    guard let id, let name, let url else { return nil }
    return Channel(
      id: id, name: name, url: url, command: command, limit: settings.limit, enabled: enabled,
      recurrence: recurrence, backoff: settings.backoff == .zero ? nil : settings.backoff,
      timeout: settings.timeout, stall: settings.stall == .zero ? nil : settings.stall,
      stopSignal: settings.stopSignal, grace: settings.grace, retryDelay: settings.retryDelay,
      attempts: settings.attempts, umask: settings.umask, environment: settings.environment,
      rerun: settings.rerun,
      success: settings.success, output: settings.output,
      directory: PathText.absolute(name, in: library))
  }

  private mutating func readID(_ section: ObjectReader) -> Int64? {
    guard section.value("id") != nil else {
      section.refuse("id", "missing", suggestion: "for example id: 7")
      return nil
    }
    guard let id = section.positive("id", example: 7).map({ Int64($0) }) else { return nil }
    if let first = pathsByID[id] {
      section.refuse(
        "id", "\(id) is taken",
        suggestion: "the channel in line \(faults.line(of: first)) has it; choose another")
    } else {
      pathsByID[id] = section.path
    }
    return id
  }

  private mutating func readName(_ section: ObjectReader) -> String? {
    guard section.value("name") != nil else {
      section.refuse("name", "missing", suggestion: "for example name: \"cats\"")
      return nil
    }
    guard let name = section.string("name", example: "\"cats\"") else { return nil }
    if let (fault, suggestion) = Self.fault(ofName: name) {
      section.refuse("name", "\(name.quoted()) \(fault)", suggestion: suggestion)
      return nil
    }
    if let first = pathsByName[name] {
      section.refuse(
        "name", "\(name.quoted()) is taken",
        suggestion: "the channel in line \(faults.line(of: first)) has it; choose another")
    } else {
      pathsByName[name] = section.path
    }
    return name
  }

  private func readURL(_ section: ObjectReader) -> String? {
    guard section.value("url") != nil else { return "" }
    guard let url = section.string("url", example: "\"https://…\"") else { return nil }
    guard !url.hasPrefix("-") else {
      section.refuse(
        "url", "\(url.quoted()) begins with -, so a program would take it for an option",
        suggestion: "write \"./\(url)\" if it is a file")
      return nil
    }
    return url
  }

  /// Why a channel cannot have this name: a directory is named after the channel, and a number would mean an id.
  private static func fault(ofName name: String) -> (String, suggestion: String)? {
    let example = "for example \"cats\""
    if name.isEmpty { return ("is empty", example) }
    if name.hasPrefix(".") || name.hasPrefix("-") {
      return ("begins with \(name.prefix(1)), but the name of a directory in the library must not", example)
    }
    if name.utf8.contains(UInt8(ascii: "/")) { return ("contains a /, but it names one directory", example) }
    if name.utf8.count > 200 { return ("is \(name.utf8.count) bytes long", "use at most 200 bytes") }
    if name.isASCIIDigits {
      return (
        "is all digits and would be taken for an id", "add a letter, for example \"c\(name.prefix(20))\""
      )
    }
    return nil
  }
}
