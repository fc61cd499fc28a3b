/// A text that is not a schedule.
package struct CronSyntaxError: Error, Equatable {
  /// What is wrong.
  package let reason: String
  /// What to write instead.
  package let suggestion: String
}
