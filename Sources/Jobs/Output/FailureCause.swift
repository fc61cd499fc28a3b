import Posix

/// The line that most likely says why a job failed: the last one that means failure; otherwise the last error line that
/// is not tolerated; otherwise the last one on standard error that has a letter in it and is not a warning. The lower
/// edge of a box or a progress bar in figures says nothing.
struct FailureCause {
  /// How much of the line is kept, in bytes.
  private static let lengthLimit = 500
  /// `WARNING: …`, `cc: warning: …`, `DeprecationWarning: …`; `[warn] …`, also after a time; `level=warn …`.
  private static let warning = try? Pattern(
    "[Ww][Aa][Rr][Nn]([Ii][Nn][Gg])?:"
      + "|^[]0-9TZ:.,+/[() -]*[Ww][Aa][Rr][Nn]([Ii][Nn][Gg])?([^[:alpha:]]|$)|level=\"?[Ww][Aa][Rr][Nn]")

  private var failureLine: [UInt8]?
  private var errorLine: [UInt8]?
  private var otherLine: [UInt8]?

  /// Takes a line that means failure, on standard output or standard error.
  mutating func add(failure line: [UInt8]) { failureLine = line }

  /// Takes an error line that is not tolerated.
  mutating func add(error line: [UInt8]) { errorLine = line }

  /// Takes any other line on standard error.
  mutating func add(other line: [UInt8]) {
    if errorLine == nil, Self.hasLetter(line), Self.warning?.matches(line) != true { otherLine = line }
  }

  /// The last line that means failure, cut; nil when no line does.
  var failure: String? { Self.text(failureLine) }

  /// The line, cut; nil when no line says anything.
  var text: String? { Self.text(failureLine ?? errorLine ?? otherLine) }

  private static func text(_ line: [UInt8]?) -> String? {
    line.map { String(decoding: $0.prefix(lengthLimit), as: UTF8.self) }
  }

  private static func hasLetter(_ line: [UInt8]) -> Bool {
    for byte in line where (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) { return true }
    return String(decoding: line, as: UTF8.self).unicodeScalars.contains { $0.properties.isAlphabetic }
  }
}
