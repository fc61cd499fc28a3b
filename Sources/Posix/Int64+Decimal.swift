extension Int64 {
  /// The number that up to 18 decimal digits and nothing else make; nil for anything else. Without a String, as names and
  /// counters are read many times.
  package init?(decimal digits: some Collection<UInt8>) {
    guard (1...18).contains(digits.count) else { return nil }
    self = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      self = self * 10 + Int64(digit - UInt8(ascii: "0"))
    }
  }
}
