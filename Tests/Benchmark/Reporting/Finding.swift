/// One figure of a row: its samples, and the samples of the reference that it is compared with.
struct Finding {
  struct Reference {
    let name: String
    let samples: [Double]
  }

  let row: Int
  let title: String
  let unit: Unit
  let samples: [Double]
  let reference: Reference?
  /// Nil for a figure that only helps to explain another.
  let goal: Goal?
  /// Why there are no samples; nil when there are samples.
  let gap: String?

  init(_ row: Row, _ title: String, _ unit: Unit, _ samples: [Double], goal: Goal? = nil) {
    self.row = row.rawValue
    self.title = title
    self.unit = unit
    self.samples = samples
    self.goal = goal
    reference = nil
    gap = nil
  }

  /// A figure that could not be measured.
  init(_ row: Row, _ title: String, gap: String) {
    self.row = row.rawValue
    self.title = title
    self.gap = gap
    unit = .calls
    samples = []
    reference = nil
    goal = nil
  }

  init(_ row: Row, _ title: String, _ unit: Unit, _ pairs: Pairs, against name: String, goal: Goal? = nil) {
    self.row = row.rawValue
    self.title = title
    self.unit = unit
    self.goal = goal
    gap = nil
    samples = pairs.measured
    reference = Reference(name: name, samples: pairs.reference)
  }

  /// The median of the samples; nil when there are no samples.
  var measured: Double? { samples.median }

  /// The median of the pairs' ratios. If the two sides do not have the same number of samples, the ratio of their
  /// medians.
  var ratio: Double? {
    guard let reference else { return nil }
    if reference.samples.count == samples.count {
      return zip(samples, reference.samples).map { $0 / $1 }.median
    }
    guard let measured, let other = reference.samples.median else { return nil }
    return measured / other
  }

  /// Nil when the figure has no goal or could not be measured.
  var isMet: Bool? {
    guard let goal, let number = goal.subject == .ratio ? ratio : measured else { return nil }
    return goal.isMet(by: number)
  }
}
