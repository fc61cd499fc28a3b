/// Samples of two things that took turns: A B A B … Anything that slows the machine for a while slows both members
/// of a pair.
struct Pairs: Equatable {
  private(set) var measured: [Double] = []
  private(set) var reference: [Double] = []

  /// Measures `count` pairs.
  init(_ count: Int, _ measured: (Int) throws -> Double, against reference: (Int) throws -> Double) throws {
    for turn in 1...count {
      self.measured.append(try measured(turn))
      self.reference.append(try reference(turn))
    }
  }

  init(measured: [Double], reference: [Double]) {
    self.measured = measured
    self.reference = reference
  }
}
