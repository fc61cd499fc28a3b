import Posix
import Spool

/// Standard output: what a command was asked for. Everything else goes to standard error.
enum Output {
  static func print(_ text: String) throws { try StandardStream.output.write(text + "\n") }

  static func print(_ json: JSONValue) throws {
    try StandardStream.output.write(String(decoding: json.line, as: UTF8.self))
  }

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
