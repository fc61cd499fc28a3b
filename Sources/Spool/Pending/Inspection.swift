package import Posix

/// What an inspection of one name in the spool found.
package enum Inspection: Sendable {
  /// Nothing: another process took the file.
  case vanished
  /// The file cannot be a trigger, whatever happens to it, for this reason.
  case invalid(RejectReason, FileStatus)
  /// The file may still be being written.
  case unsettled(FileStatus)
  /// The file is not empty, and the batch's user may not read it. The trigger knows its name and its time only.
  case unreadable(Trigger)
  /// The file is complete. It has not changed for so long: enough to take it, perhaps not enough to condemn it.
  case settled(Trigger, rested: Duration)

  /// A trigger that was complete when it was claimed.
  package static func claimed(_ trigger: Trigger) -> Inspection {
    .settled(trigger, rested: .seconds(Int64.max))
  }
}
