/// Ends a test because it cannot go on: what was expected, in words.
package struct Failure: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
