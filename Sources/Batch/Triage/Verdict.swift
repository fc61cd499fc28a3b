package import Channels
package import Posix
package import Spool
import Text

/// What becomes of one file in the spool. `Triage` decides it; everything else acts on it or reports it.
package enum Verdict: Sendable {
  /// Another process took the file.
  case gone
  /// The file may still be being written.
  case unsettled(FileStatus)
  /// The batch's user may not read the file, which is not empty: it stays pending until they may, or it is too old.
  case unreadable(Trigger, reason: String)
  /// The file cannot be a trigger. It was read if that was possible.
  case reject(RejectReason, FileStatus, Trigger?)
  /// The trigger is too old. It may name a channel that exists.
  case expire(Trigger, Channel?, age: Duration)
  /// The trigger names a channel that is not configured, or is disabled.
  case fail(Trigger, Channel?, reason: String)
  case run(Trigger, Channel)

  /// Why a trigger expires, in words.
  ///
  /// - Parameter since: completes "31m4s …": what the age was judged against.
  package static func expiryReason(_ trigger: Trigger, age: Duration, since: String) -> String {
    "requested at \(trigger.requestedAt.rfc3339()), \(age.brief) \(since)"
  }
}
