package import Posix

/// What the lines that a job writes mean. Lines on standard error, unless it is said otherwise.
package struct OutputRules: Sendable {
  /// The lines that report an error. The default is an expression, so it is never nil.
  package var errorLine = try? Pattern("^ERROR")
  /// The error lines that are only warnings.
  package var tolerate: [Pattern] = []
  /// The lines, on standard output or standard error, that make the job a failure whatever its exit status is.
  package var failure: [Pattern] = []
  /// The lines that make a failure transient.
  package var transient: [Pattern] = []
  /// The lines on standard output that count as items; nil for all that are not blank.
  package var items: Pattern?

  package init() {}
}
