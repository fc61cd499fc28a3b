/// How waiting for a trigger ended.
package enum WaitResult: Sendable {
  /// The answer says all that was asked for.
  case answered
  case ranOut
  /// Something is wrong with the set-up, so that no run can carry the trigger out: it stays pending, for this reason.
  case faulty(trigger: String, reason: String)
  /// A signal ended the wait.
  case stopped
  /// This user may not read how the trigger ended.
  case unreadable
}
