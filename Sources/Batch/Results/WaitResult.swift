/// How waiting for a trigger ended.
package enum WaitResult: Sendable {
  /// The answer says all that was asked for.
  case answered
  case ranOut
  /// A signal ended the wait.
  case stopped
  /// This user may not read how the trigger ended.
  case unreadable
}
