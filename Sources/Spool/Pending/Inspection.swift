package import Posix

/// What an inspection of one name in the spool found.
package enum Inspection: Sendable {
  /// Nothing: another process took the file.
  case vanished
  /// The file cannot be a trigger, whatever happens to it, for this reason.
  case invalid(RejectReason, FileStatus)
  /// The file may still be being written.
  case unsettled
  /// The file is complete.
  case settled(Trigger)
}
