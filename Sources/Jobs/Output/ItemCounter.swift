/// Counts what the attempts of one job print, one line an item. A line that an earlier attempt printed is not counted
/// again: a command that begins from the start reports what it had finished once more. Within one attempt each line
/// counts.
struct ItemCounter {
  /// How many lines of earlier attempts are remembered, by their hashes. If a job prints more, what comes after them is
  /// counted again when another attempt prints it.
  static let memory = 100_000

  private(set) var count = 0
  private var earlier: Set<Int> = []
  private var current: Set<Int> = []

  /// Takes lines of the present attempt.
  mutating func add(_ lines: [[UInt8]]) {
    for line in lines {
      let hash = line.hashValue
      if earlier.contains(hash) { continue }
      count += 1
      if earlier.count + current.count < Self.memory { current.insert(hash) }
    }
  }

  /// From now on the lines are another attempt's.
  mutating func beginNextAttempt() {
    earlier.formUnion(current)
    current = []
  }
}
