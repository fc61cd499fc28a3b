import Text

/// Log lines for people and log collectors: one event, one line, control characters escaped.
///
///     2026-01-31T10:30:00.123Z warning trigger expired trigger=7.json age=31m4s
package struct Log: Sendable {
  package enum Level: String, Sendable {
    case info, warning, error
  }

  private let isQuiet: Bool
  private let write: @Sendable (String) -> Void

  /// - Parameters:
  ///   - isQuiet: whether to leave out information; warnings and errors remain.
  ///   - write: takes a line with its newline; writes to standard error unless a test collects the lines.
  package init(
    isQuiet: Bool = false,
    // If standard error is gone, that cannot be reported anywhere, and the batch need not stop for it.
    write: @escaping @Sendable (String) -> Void = { line in try? StandardStream.error.write(line) }
  ) {
    self.isQuiet = isQuiet
    self.write = write
  }

  /// - Parameter fields: evaluated only when the line is written.
  package func info(_ message: String, _ fields: @autoclosure () -> KeyValuePairs<String, String?> = [:]) {
    if !isQuiet { line(.info, message, fields()) }
  }

  package func warning(_ message: String, _ fields: KeyValuePairs<String, String?> = [:]) {
    line(.warning, message, fields)
  }

  package func error(_ message: String, _ fields: KeyValuePairs<String, String?> = [:]) {
    line(.error, message, fields)
  }

  private func line(_ level: Level, _ message: String, _ fields: KeyValuePairs<String, String?>) {
    var text = "\(Timestamp.now().rfc3339(fractionDigits: 3)) \(level.rawValue) \(message.printable)"
    for (key, value) in fields {
      guard let value else { continue }
      text += " \(key)=\(value.logValue)"
    }
    write(text + "\n")
  }
}
