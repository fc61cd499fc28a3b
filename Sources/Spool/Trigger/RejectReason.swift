/// Why a file cannot be a trigger.
package struct RejectReason: Error, Sendable, Equatable {
  package let text: String
  package init(_ text: String) { self.text = text }
}
