extension Duration {
  /// The length in nanoseconds; the largest or smallest number when the length does not fit (292 years).
  package var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? (seconds < 0 ? .min : .max) : sum
  }

  /// The length in seconds, with a fraction.
  package var secondsWithFraction: Double { Double(wholeNanoseconds) / 1e9 }
}
