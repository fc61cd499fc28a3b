/// Ends a test that cannot continue. The description says what was expected or what went wrong.
package struct Failure: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
