#if canImport(Glibc)
  // For the logarithm; no system call.
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where a value is drawn on a logarithmic axis.
struct LogScale: Equatable {
  /// Powers of ten: the first at or below all values, the last at or above.
  let ticks: [Int]
  private let range: ClosedRange<Double>

  /// - Parameters:
  ///   - values: 1 or more.
  ///   - range: where the first and the last tick are drawn.
  init(_ values: [Int], range: ClosedRange<Double>) {
    var low = 1
    while low * 10 <= values.min() ?? 1 { low *= 10 }
    var ticks = [low]
    while ticks.count < 2 || ticks[ticks.count - 1] < values.max() ?? 1 {
      ticks.append(ticks[ticks.count - 1] * 10)
    }
    self.ticks = ticks
    self.range = range
  }

  func position(_ value: Int) -> Double {
    let (low, high) = (log10(Double(ticks[0])), log10(Double(ticks[ticks.count - 1])))
    return range.lowerBound + (log10(Double(value)) - low) / (high - low)
      * (range.upperBound - range.lowerBound)
  }
}

/// Round numbers from 0 to the first that is not below a value.
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
