import CBenchmark

/// Somebody wants the benchmark to end. Thrown up to `main`, so that what was made on the disk is removed.
struct Interrupted: Error, CustomStringConvertible {
  var description: String { "interrupted" }

  static func check() throws(Interrupted) {
    if interrupts_seen() != 0 { throw Interrupted() }
  }
}
