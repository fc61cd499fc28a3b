import Text

/// Reads the object that nearly every program writes: one level, ASCII without escapes, whole numbers. It spares the
/// decoder, which takes many times as long; what is not as plain goes to the decoder.
enum PlainObject {
  /// - Returns: nil for everything else, also for a key that is given twice.
  static func members(of text: ArraySlice<UInt8>) -> [String: JSON5Value]? {
    var reader = Reader(bytes: text, index: text.startIndex)
    return reader.object()
  }

  private struct Reader {
    let bytes: ArraySlice<UInt8>
    var index: Int

    mutating func object() -> [String: JSON5Value]? {
      guard skip("{") else { return nil }
      var members: [String: JSON5Value] = [:]
      repeat {
        guard let key = string(), members[key] == nil, skip(":"), let value = value() else { return nil }
        members[key] = value
      } while skip(",")
      guard skip("}") else { return nil }
      skipSpace()
      return index == bytes.endIndex ? members : nil
    }

    private mutating func value() -> JSON5Value? {
      skipSpace()
      guard index < bytes.endIndex else { return nil }
      return bytes[index] == UInt8(ascii: "\"")
        ? string().map { .string($0) } : integer().map { .integer($0) }
    }

    private mutating func string() -> String? {
      guard skip("\"") else { return nil }
      let start = index
      while index < bytes.endIndex, bytes[index] != UInt8(ascii: "\"") {
        guard (0x20...0x7E).contains(bytes[index]), bytes[index] != UInt8(ascii: "\\") else { return nil }
        index += 1
      }
      guard index < bytes.endIndex else { return nil }
      defer { index += 1 }
      return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func integer() -> Int? {
      let start = index
      while index < bytes.endIndex, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) {
        index += 1
      }
      // JSON has no number with a leading zero.
      guard index == start + 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
      return Int64(decimal: bytes[start..<index]).map { Int($0) }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard index < bytes.endIndex, bytes[index] == UInt8(ascii: character) else { return false }
      index += 1
      return true
    }

    private mutating func skipSpace() {
      while index < bytes.endIndex, TriggerText.isSpace(bytes[index]) { index += 1 }
    }
  }
}
