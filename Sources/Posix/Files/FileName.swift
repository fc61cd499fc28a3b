import Text

/// The name of one entry in a directory: bytes, not text.
///
/// Two names that look alike (composed and decomposed accents) are two files, and a name that is not valid UTF-8 must
/// still be found, compared and moved. Names sort in byte order, as with `LC_ALL=C sort`.
package struct FileName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Without the terminating zero; the bytes contain neither `/` nor zero when the name came from a directory.
  package let bytes: [UInt8]

  /// - Parameter bytes: any bytes. With a `/` or a zero among them, the name cannot be an entry of a directory; a
  ///   caller that takes names from outside must check for that.
  package init(bytes: [UInt8]) { self.bytes = bytes }
  package init(_ text: String) { self.bytes = Array(text.utf8) }

  package static func < (left: FileName, right: FileName) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  /// The name as text; nil when it is not valid UTF-8.
  package var text: String? { String(validating: bytes, as: UTF8.self) }

  /// The name as text for people: bytes that are not valid UTF-8 become U+FFFD.
  package var description: String { String(decoding: bytes, as: UTF8.self) }

  /// Calls `body` with the name as a C string.
  @inline(__always)
  func withCString<Result: ~Copyable>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
      bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
      buffer[bytes.count] = 0
      return body(UnsafePointer(buffer.baseAddress!))
    }
  }

  /// Appends the name in a form safe to show: on one line, with characters that are unsafe for a terminal escaped.
  package func appendPrintable(to text: inout [UInt8]) {
    if bytes.allSatisfy({ (0x20...0x7E).contains($0) }) {
      text += bytes
    } else {
      text += description.printable.utf8
    }
  }
}
