import Posix
import Text

/// Standard output: what a command was asked for. Everything else goes to standard error.
///
/// Output failures do not undo work, so a failure is remembered, and counts when the command's own status is known.
/// Output of unlimited length is written by `stream`, which throws, so that a command stops when nobody reads any more.
enum Output {
  private static let firstFailure = Monitor<SystemError?>(nil)

  /// Why something could not be written; nil if every write succeeded.
  static var failure: SystemError? { firstFailure.withLock { $0 } }

  /// Writes bytes; a failure is remembered.
  static func write(_ bytes: [UInt8]) {
    // Remembered by `stream`.
    try? stream(bytes)
  }

  static func write(_ text: String) { write(Array(text.utf8)) }

  static func print(_ text: String) { write(Array("\(text)\n".utf8)) }

  static func print(_ json: JSONValue) { write(json.line) }

  /// Writes bytes, and throws when they cannot be written.
  static func stream(_ bytes: [UInt8]) throws(SystemError) {
    do throws(SystemError) { try StandardStream.output.write(bytes) } catch {
      firstFailure.withLock { $0 = $0 ?? error }
      throw error
    }
  }

  static var isTerminal: Bool { StandardStream.output.isTerminal }

  /// Rows of equal columns; the last column is not padded.
  static func printTable(_ header: [String], _ rows: [[String]]) {
    guard !rows.isEmpty else { return }
    let lines = [header] + rows.map { $0.map(\.printable) }
    let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let text = lines.map { line in
      var row = ""
      for (column, cell) in line.enumerated() {
        row +=
          column == line.count - 1
          ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
      }
      return row
    }
    print(text.joined(separator: "\n"))
  }
}
