extension [Double] {
  /// The middle sample, or the mean of the two in the middle if their number is even. Nil when there are no samples.
  var median: Double? {
    if isEmpty { return nil }
    let sorted = sorted()
    let middle = count / 2
    return count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}
