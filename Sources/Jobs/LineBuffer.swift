/// Cuts a stream into lines. A line is remembered up to a limit; a longer one still counts as one line.
struct LineBuffer {
  private static let limit = 8_192
  private var line: [UInt8] = []
  private var isBlank = true

  /// - Returns: every line that ends in `bytes` and is not blank.
  mutating func add(_ bytes: UnsafeRawBufferPointer) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        lines += end()
      } else {
        if isBlank, byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t"), byte != UInt8(ascii: "\r") {
          isBlank = false
        }
        if line.count < Self.limit { line.append(byte) }
      }
    }
    return lines
  }

  /// - Returns: what has come of a line that has not ended, unless it is blank.
  mutating func end() -> [[UInt8]] {
    defer {
      line.removeAll(keepingCapacity: true)
      isBlank = true
    }
    return isBlank ? [] : [line]
  }
}
