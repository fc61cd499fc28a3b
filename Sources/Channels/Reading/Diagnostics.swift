import Text

/// Gathers the faults of one file, so that the user can correct all of them in one go.
final class Diagnostics {
  private let file: String
  private let outline: SourceMap
  private let channelNames: [Int: String]
  private var found: [ConfigurationError] = []

  /// - Parameter channelNames: the names of the channels by index, for the channels that have a name.
  init(file: String, outline: SourceMap, channelNames: [Int: String]) {
    self.file = file
    self.outline = outline
    self.channelNames = channelNames
    for repetition in outline.repetitions {
      add(
        repetition.path, "given twice",
        suggestion: "remove one; the first is in line \(line(of: repetition.path))",
        line: outline.position(of: repetition.offset).line)
    }
  }

  /// - Parameter line: the line, when it is not the line of the value at `path`.
  func add(_ path: ValuePath, _ message: String, suggestion: String? = nil, line: Int? = nil) {
    let key = path.text(channelName: path.channel.flatMap { channelNames[$0] })
    found.append(
      ConfigurationError(
        file: file, line: line ?? self.line(of: path), column: nil, key: key, message: message,
        suggestion: suggestion))
  }

  /// The line of a value, from 1.
  func line(of path: ValuePath) -> Int { outline.line(of: path) }

  /// The faults that were found, in the order of the lines; nil when nothing is wrong.
  var errors: ConfigurationErrors? {
    guard !found.isEmpty else { return nil }
    let sorted = found.enumerated().sorted {
      ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset)
    }
    return ConfigurationErrors(faults: sorted.map(\.element))
  }
}
