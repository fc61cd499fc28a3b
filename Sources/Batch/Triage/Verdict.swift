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
    let reason = "requested at \(trigger.requestedAt.rfc3339()), \(age.brief) \(since)"
    guard let arrival = trigger.lateArrival else { return reason }
    let cause =
      trigger.statesTime
      ? "it states an old time" : "its modification time is old, as cp -p, mv and rsync -a keep it"
    return "\(reason), although the file arrived at \(arrival.rfc3339()): \(cause)"
  }

  /// How to ask again for what expired.
  ///
  /// - Parameter channel: the one that the trigger names, if it is configured.
  package static func expiryRemedy(_ trigger: Trigger, _ channel: Channel?) -> String {
    let command = "bobbin trigger \(channel?.name.shellQuoted ?? "CHANNEL")"
    guard trigger.lateArrival != nil, !trigger.statesTime else { return "ask again: \(command)" }
    return
      "ask again: touch \(trigger.name.description.shellQuoted) before it is moved or copied here, or \(command)"
  }
}
