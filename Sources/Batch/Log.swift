import Posix
import Spool

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
  ///   - isQuiet: leaves out what is no warning and no error.
  ///   - write: takes a line with its newline; standard error unless a test wants to read along.
  package init(
    isQuiet: Bool = false,
    // There is no place left to report that standard error is gone, and no reason to stop the batch for it.
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
      text += " \(key)=\(Self.quoted(value))"
    }
    write(text + "\n")
  }

  /// Quotation marks where a value would otherwise not end clearly.
  private static func quoted(_ value: String) -> String {
    let value = value.printable
    let isPlain = !value.isEmpty && !value.contains { " \"=\\".contains($0) }
    if isPlain { return value }
    return "\"" + value.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
      + "\""
  }
}
