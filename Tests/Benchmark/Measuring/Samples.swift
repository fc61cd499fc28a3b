extension [Double] {
  /// The middle of the samples; of an even number of them, the mean of the two in the middle. Nil when there are none.
  var median: Double? {
    if isEmpty { return nil }
    let sorted = sorted()
    let middle = count / 2
    return count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}
