import CBenchmark

/// A row that cannot be measured here: a program is not installed, a kernel does not tell. No failure.
struct Unavailable: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Something that should have worked and did not.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Somebody wants the benchmark to end. Thrown up to `main`, so that what was made on the disk is removed.
struct Interrupted: Error, CustomStringConvertible {
  var description: String { "interrupted" }

  static func check() throws(Interrupted) {
    if interrupts_seen() != 0 { throw Interrupted() }
  }
}
