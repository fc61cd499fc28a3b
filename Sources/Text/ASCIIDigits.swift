extension UInt8 {
  /// Whether the byte is one of `0` to `9`.
  @inlinable
  package var isASCIIDigit: Bool { (0x30...0x39).contains(self) }
}

extension Int64 {
  /// The number that 1 to 18 decimal digits express; nil for anything else. Does not make a String, because names and
  /// counters are read many times.
  @inlinable
  package init?(decimal digits: some Collection<UInt8>) {
    guard (1...18).contains(digits.count) else { return nil }
    self = 0
    for digit in digits {
      guard digit.isASCIIDigit else { return nil }
      self = self * 10 + Int64(digit - 0x30)
    }
  }
}

extension String {
  /// Whether the text consists of decimal digits and nothing else.
  package var isASCIIDigits: Bool { !isEmpty && utf8.allSatisfy(\.isASCIIDigit) }
}
