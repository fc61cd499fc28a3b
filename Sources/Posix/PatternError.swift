#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A text that is not an extended regular expression.
package struct PatternError: Error, Equatable, CustomStringConvertible {
  /// What is wrong with the text, in the words of `regerror(3)`.
  package let reason: String

  package var description: String { "not a regular expression: \(reason)" }
}
