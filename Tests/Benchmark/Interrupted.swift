import CBenchmark

/// The benchmark was asked to end. The error is thrown up to `main`, so that the files it made are removed.
struct Interrupted: Error, CustomStringConvertible {
  var description: String { "interrupted" }

  /// - Throws: when SIGINT or SIGTERM has arrived.
  static func check() throws(Interrupted) {
    if interrupts_seen() != 0 { throw Interrupted() }
  }
}
