/// Something in the spool that was most likely meant as a trigger and will never be found: no run passes it over with a
/// record, because it does not have a trigger's name.
package struct AlmostTrigger: Sendable, Equatable {
  package let path: String
  /// Why it is not a trigger.
  package let reason: String
  /// A command for a shell that makes it one.
  package let remedy: String
}
