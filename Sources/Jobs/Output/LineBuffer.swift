/// Cuts a stream into lines. A line ends at `\n`, at `\r\n` and at a lone `\r`, with which a progress bar goes back to
/// the start of its line; ANSI escape sequences (colours, cursor movements) are not part of a line. A line is
/// remembered up to a limit; a longer line still counts as one line.
struct LineBuffer {
  private static let limit = 8_192

  /// Where the stream is in an ANSI escape sequence (ECMA-48).
  private enum Escape {
    case none
    /// After ESC.
    case started
    /// After `ESC [`: parameters, until a byte from `@` to `~` ends the sequence.
    case control
    /// After `ESC ]`: a text such as a window's title, until BEL or `ESC \`.
    case text
  }

  private var line: [UInt8] = []
  private var isBlank = true
  private var escape = Escape.none

  /// - Returns: every line that ends in `bytes` and is not blank.
  mutating func add(_ bytes: UnsafeRawBufferPointer) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for byte in bytes where !isInEscape(byte) {
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
        // The `\n` of a `\r\n` ends a blank line, which is not reported.
        lines += end()
      } else {
        if isBlank, byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t") { isBlank = false }
        if line.count < Self.limit { line.append(byte) }
      }
    }
    return lines
  }

  /// - Returns: the part of an unfinished line that has arrived, unless it is blank.
  mutating func end() -> [[UInt8]] {
    defer {
      line.removeAll(keepingCapacity: true)
      isBlank = true
    }
    return isBlank ? [] : [line]
  }

  /// Whether the byte belongs to an escape sequence. A line break ends an unfinished sequence.
  private mutating func isInEscape(_ byte: UInt8) -> Bool {
    if escape == .none {
      if byte == 0x1B { escape = .started }
      return byte == 0x1B
    }
    if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
      escape = .none
      return false
    }
    switch (escape, byte) {
    case (.started, UInt8(ascii: "[")): escape = .control
    case (.started, UInt8(ascii: "]")): escape = .text
    case (.started, 0x1B), (.text, 0x1B): escape = .started
    // Intermediate bytes, as in `ESC ( B`, come before the last one.
    case (.started, 0x20...0x2F): break
    case (.started, _): escape = .none
    case (.control, 0x40...0x7E), (.text, 0x07): escape = .none
    case (.control, _), (.text, _), (.none, _): break
    }
    return true
  }
}
