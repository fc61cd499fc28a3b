#if canImport(Glibc)
  // For the logarithm, not for system calls.
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A logarithmic axis, which says where a value is drawn.
struct LogScale: Equatable {
  /// Powers of ten. The first is at or below all values, the last at or above them.
  let ticks: [Int]
  private let range: ClosedRange<Double>

  /// - Parameters:
  ///   - values: each 1 or more.
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
