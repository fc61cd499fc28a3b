import Posix
import Spool

/// Standard output: what a command was asked for. Everything else goes to standard error.
///
/// What a command has done is done, whether it can be told or not. So a failure to write is kept, and looked at when the
/// command's own status is known: `try?` before a call loses nothing. It is thrown for those who only print and can stop.
enum Output {
  private static let firstFailure = Monitor<SystemError?>(nil)

  /// Why something could not be written; nil while all could.
  static var failure: SystemError? { firstFailure.withLock { $0 } }

  static func write(_ bytes: [UInt8]) throws(SystemError) {
    do throws(SystemError) { try StandardStream.output.write(bytes) } catch {
      firstFailure.withLock { $0 = $0 ?? error }
      throw error
    }
  }

  static func print(_ text: String) throws(SystemError) { try write(Array("\(text)\n".utf8)) }

  static func print(_ json: JSONValue) throws(SystemError) { try write(json.line) }

  /// Rows of equal columns; the last column is not padded.
  static func table(_ header: [String], _ rows: [[String]]) throws {
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
    try print(text.joined(separator: "\n"))
  }
}
