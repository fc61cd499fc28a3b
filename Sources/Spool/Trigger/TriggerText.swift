/// The text of a trigger file: what people's editors, shells and programs put around it is taken away.
package enum TriggerText {
  /// The file's content as text, for showing it.
  package static func shown(_ bytes: [UInt8]) -> String {
    let isUTF16 = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
    return String(decoding: isUTF16 ? utf8(bytes) ?? bytes[...] : bytes[...], as: UTF8.self)
  }

  /// UTF-8 without a mark, without white space around it, without the record separator of JSON sequences (RFC 7464)
  /// before it, and without the Ctrl-Z with which some programs end a text.
  ///
  /// - Returns: nil when the bytes are neither UTF-8 nor UTF-16 with a mark.
  static func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
    guard let text = utf8(bytes) else { return nil }
    var (start, end) = (text.startIndex, text.endIndex)
    func skipSpace() {
      while start < end, isSpace(text[start]) { start += 1 }
      while start < end, isSpace(text[end - 1]) { end -= 1 }
    }
    skipSpace()
    if start < end, text[start] == 0x1E { start += 1 }
    if start < end, text[end - 1] == 0x1A { end -= 1 }
    skipSpace()
    return text[start..<end]
  }

  /// Whether JSON takes a byte for white space.
  static func isSpace(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20, 0x09, 0x0A, 0x0D: true
    default: false
    }
  }

  private static func utf8(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
    switch (bytes.first, bytes.dropFirst().first) {
    case (0xFF, 0xFE): return utf16(bytes.dropFirst(2), high: 1)
    case (0xFE, 0xFF): return utf16(bytes.dropFirst(2), high: 0)
    default:
      // Some editors begin a UTF-8 file with this mark.
      let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
      guard !text.contains(0), (try? UTF8Span(validating: text.span)) != nil else { return nil }
      return text
    }
  }

  /// - Parameter high: which byte of two is the more significant one.
  private static func utf16(_ bytes: ArraySlice<UInt8>, high: Int) -> ArraySlice<UInt8>? {
    guard bytes.count.isMultiple(of: 2) else { return nil }
    let units = stride(from: bytes.startIndex, to: bytes.endIndex, by: 2).map {
      UInt16(bytes[$0 + high]) << 8 | UInt16(bytes[$0 + 1 - high])
    }
    guard !units.contains(0), let text = String(validating: units, as: UTF16.self) else { return nil }
    return Array(text.utf8)[...]
  }
}
