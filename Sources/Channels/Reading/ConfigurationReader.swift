import Text

/// Turns the bytes of a file into a checked configuration.
///
/// The text is read twice: `SourceMap` finds the positions of the values, and the JSON decoder finds the values. Both
/// must accept the text. The result is then read key by key, and faults are collected; only a syntax fault ends the
/// reading early.
extension Configuration {
  /// Reads a configuration. Besides `bytes` only the files of time zones are read: other code checks whether directories and programs exist.
  ///
  /// - Parameters:
  ///   - bytes: the file's content.
  ///   - file: the file's absolute path, with the symbolic links in its directory resolved, so that `..` in the
  ///     configuration means what it means to the kernel.
  ///   - reserved: the names in the spool that are taken.
  /// - Throws: all faults found.
  package static func parse(
    _ bytes: [UInt8], file: String, reserved: ReservedNames
  ) throws(ConfigurationErrors) -> Configuration {
    guard file.hasPrefix("/") else {
      throw .init(faults: [
        .init(
          file: file, line: nil, column: nil, key: "",
          message: "the path of a configuration must be absolute",
          suggestion: nil)
      ])
    }
    let (outline, document) = try read(bytes, file: file)
    let faults = Diagnostics(file: file, outline: outline, channelNames: channelNames(document))
    let configuration = ObjectReader(document, at: ValuePath(), faults: faults).flatMap {
      assemble($0, file: file, reserved: reserved, faults: faults)
    }
    if let errors = faults.errors { throw errors }
    guard let configuration else {
      // Code that refuses a value reports it, so this would be a mistake in the program, but not a reason to trap.
      throw .init(faults: [
        .init(
          file: file, line: nil, column: nil, key: "", message: "the configuration cannot be used",
          suggestion: nil)
      ])
    }
    return configuration
  }

  private static let document = SourceMap.Document(
    name: "configuration", isObject: true, emptySuggestion: "write at least { }",
    endSuggestion: "a configuration is one { … }; remove the text after it, or an extra } before it")

  /// The outline and the value of the text.
  private static func read(
    _ bytes: [UInt8], file: String
  ) throws(ConfigurationErrors) -> (SourceMap, JSON5Value) {
    let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    let text = hasMark ? Array(bytes.dropFirst(3)) : bytes
    do throws(SourceMap.SyntaxFault) {
      try checkEncoding(text)
      let outline = try SourceMap(text, as: document)
      if let document = JSON5Value.decode(text) { return (outline, document) }
      throw outline.refusedToken() ?? .init(offset: 0, message: "the file is not JSON5")
    } catch {
      let (line, column) = SourceMap.position(of: error.offset, in: text)
      throw .init(faults: [
        .init(
          file: file, line: line, column: column, key: "", message: error.message,
          suggestion: error.suggestion)
      ])
    }
  }

  /// The decoder also reads UTF-16, and a NUL is not part of any JSON5 text; both would cause confusing errors later.
  private static func checkEncoding(_ text: [UInt8]) throws(SourceMap.SyntaxFault) {
    if let offset = text.firstIndex(of: 0) {
      throw .init(offset: offset, message: "NUL character", suggestion: "save the file as UTF-8 text")
    }
    do throws(Unicode.UTF8.ValidationError) {
      _ = try UTF8Span(validating: text.span)
    } catch {
      throw .init(
        offset: error.byteOffsets.lowerBound, message: "not UTF-8", suggestion: "save the file as UTF-8 text")
    }
  }

  /// The names of the channels as they are written, for use in messages before anything is checked.
  private static func channelNames(_ document: JSON5Value) -> [Int: String] {
    guard case .object(let top) = document, case .array(let channels)? = top["channels"] else { return [:] }
    var names: [Int: String] = [:]
    for (index, channel) in channels.enumerated() {
      if case .object(let members) = channel, case .string(let name)? = members["name"] {
        names[index] = name
      }
    }
    return names
  }

  /// The keys that have a meaning only at the top level, with the place where they belong.
  static let topKeys = Dictionary(
    uniqueKeysWithValues: [
      "spool", "library", "lock", "expire_after", "settle", "rest", "keep_results", "max_attempts",
      "time_zone",
      "commands",
      "defaults", "channels",
    ].map { ($0, "at the top level") })

  /// A drain waits this long for a file, beside the time that it waits for one that is open.
  private static let longestRest = Duration.seconds(60)

  /// Reads everything, whatever faults there are. Nil when a configuration cannot be made; the faults have then been
  /// reported.
  private static func assemble(
    _ top: ObjectReader, file: String, reserved: ReservedNames, faults: Diagnostics
  ) -> Configuration? {
    let paths = PathsReader(top, directory: PathText.folder(of: file), reserved: reserved)
    let expireAfter = top.duration("expire_after", example: "30m") ?? .seconds(30 * 60)
    let settle = top.duration("settle", example: "2s") ?? .seconds(2)
    let rest = top.duration("rest", example: "5s") ?? .zero
    if rest > longestRest {
      top.refuse("rest", "longer than 1m", suggestion: "a run would wait for every file that long")
    }
    let keepResults = top.duration("keep_results", example: "7d") ?? .seconds(7 * 24 * 60 * 60)
    let maxAttempts = top.positive("max_attempts", example: 3) ?? 3
    let recurrences = RecurrenceReader(top)

    var commands = CommandReader(directory: paths.directory, faults: faults)
    if let section = top.section("commands") { commands.define(section) }
    var defaults = JobSettings()
    if let section = top.section("defaults") {
      defaults = defaults.overridden(by: section, commands: commands)
      let channelKeys = ["id", "name", "url", "enabled"].map { ($0, "in a channel") }
      section.finish(elsewhere: topKeys.merging(channelKeys) { first, _ in first })
    }

    let example =
      #"[{ id: 7, name: "cats", command: ["handlers/cats"] }], or [] if there are no channels yet"#
    if top.value("channels") == nil {
      top.refuse("channels", "missing", suggestion: "for example \(example)")
    }
    let entries = top.array("channels", example: example) ?? []
    var reader = ChannelReader(
      library: paths.library, defaults: defaults, commands: commands, recurrences: recurrences, faults: faults
    )
    let path = top.path.appending("channels")
    var channels: [Channel] = []
    for (index, entry) in entries.enumerated() {
      if let channel = reader.channel(entry, at: path.appending(index)) { channels.append(channel) }
    }
    let settingKeys = JobSettings.keys.map { ($0, "in defaults or in a channel") }
    top.finish(elsewhere: Dictionary(uniqueKeysWithValues: settingKeys))

    guard faults.errors == nil else { return nil }
    return Configuration(
      file: file, paths: paths, expireAfter: expireAfter, settle: settle, rest: rest,
      keepResults: keepResults, maxAttempts: maxAttempts, channels: channels)
  }
}
