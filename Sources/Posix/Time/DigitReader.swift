/// Reads fixed-width numbers and separators from the front of some bytes.
struct DigitReader<Bytes: Collection<UInt8>> {
  private let bytes: Bytes
  private var position: Bytes.Index
  private(set) var count = 0
  private(set) var last: UInt8 = 0

  init(_ bytes: Bytes) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  var isAtEnd: Bool { position == bytes.endIndex }

  var isAtDigit: Bool {
    position != bytes.endIndex && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position])
  }

  mutating func number(_ width: Int) -> Int? {
    var value = 0
    for _ in 0..<width {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard position != bytes.endIndex, bytes[position] == UInt8(ascii: character) else { return false }
    advance()
    return true
  }

  /// Skips a word, or nothing when the bytes do not go on with it.
  mutating func skip(word: StaticString) -> Bool {
    let start = (position, count, last)
    for index in 0..<word.utf8CodeUnitCount {
      guard position != bytes.endIndex, bytes[position] == word.utf8Start[index] else {
        (position, count, last) = start
        return false
      }
      advance()
    }
    return true
  }

  /// Skips everything up to and including a character, or up to the end.
  mutating func skipAll(upTo character: Unicode.Scalar) {
    while !isAtEnd, !skip(character) { advance() }
  }

  /// A full stop and digits as nanoseconds (what is finer is cut off), 0 when there is no full stop, nil when no digit
  /// follows.
  ///
  /// - Parameter allowsComma: whether a comma is as good as a full stop, as in ISO 8601.
  mutating func fraction(allowsComma: Bool = false) -> Int64? {
    guard skip(".") || (allowsComma && skip(",")) else { return 0 }
    guard let first = digit() else { return nil }
    var (value, power): (Int64, Int64) = (Int64(first) * 100_000_000, 10_000_000)
    while let digit = digit() {
      value += Int64(digit) * power
      power /= 10
    }
    return value
  }

  private mutating func digit() -> Int? {
    guard isAtDigit else { return nil }
    let value = Int(bytes[position] - UInt8(ascii: "0"))
    advance()
    return value
  }

  private mutating func advance() {
    last = bytes[position]
    position = bytes.index(after: position)
    count += 1
  }
}
