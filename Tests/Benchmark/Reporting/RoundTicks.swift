#if canImport(Glibc)
  // For the logarithm, not for system calls.
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Round numbers from 0 to the first number that is not below a value.
enum RoundTicks {
  /// - Returns: four to nine ticks.
  static func upTo(_ value: Double) -> [Double] {
    guard value > 0, value.isFinite else { return [0, 1] }
    var unit = 1.0
    while unit * 10 <= value { unit *= 10 }
    while unit > value { unit /= 10 }
    // value is 1 to 10 units.
    let step =
      value <= 2 * unit ? unit / 4 : value <= 4 * unit ? unit / 2 : value <= 8 * unit ? unit : 2 * unit
    var ticks = [0.0]
    while ticks[ticks.count - 1] < value { ticks.append(Double(ticks.count) * step) }
    return ticks
  }
}
