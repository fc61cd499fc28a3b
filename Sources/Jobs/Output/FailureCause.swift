import Posix

/// The line on standard error that most likely says why a job failed: the last one that begins with `ERROR`, as yt-dlp
/// and many other programs write it; otherwise the last one that has a letter in it and is not a warning. The lower edge
/// of a box or a progress bar in figures says nothing.
struct FailureCause {
  /// How much of the line is kept, in bytes.
  private static let lengthLimit = 500
  /// `WARNING: …`, `cc: warning: …`, `DeprecationWarning: …`; `[warn] …`, also after a time; `level=warn …`.
  private static let warning = try? Pattern(
    "[Ww][Aa][Rr][Nn]([Ii][Nn][Gg])?:"
      + "|^[]0-9TZ:.,+/[() -]*[Ww][Aa][Rr][Nn]([Ii][Nn][Gg])?([^[:alpha:]]|$)|level=\"?[Ww][Aa][Rr][Nn]")

  private var error: [UInt8]?
  private var other: [UInt8]?

  /// Takes the next line.
  mutating func add(_ line: [UInt8]) {
    if line.starts(with: "ERROR".utf8) {
      error = line
    } else if error == nil, Self.hasLetter(line), Self.warning?.matches(line) != true {
      other = line
    }
  }

  /// The line, cut; nil when no line says anything.
  var text: String? {
    (error ?? other).map { String(decoding: $0.prefix(Self.lengthLimit), as: UTF8.self) }
  }

  private static func hasLetter(_ line: [UInt8]) -> Bool {
    for byte in line where (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) { return true }
    return String(decoding: line, as: UTF8.self).unicodeScalars.contains { $0.properties.isAlphabetic }
  }
}
