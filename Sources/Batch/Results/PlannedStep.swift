package import Channels
package import Posix
import Spool
package import Text

/// One thing that a run would do now.
package struct PlannedStep: Sendable {
  package enum Action: String, Sendable {
    /// Finish or repeat what a killed run left.
    case recover
    case expire, reject
    /// Run a job: a scheduled one when it has no trigger.
    case run
    /// Leave a scheduled job to a later run, because it is not due.
    case wait
    /// Put a trigger into `failed/` because its channel is not configured, or is disabled.
    case fail
    /// Wait until the file is complete.
    case settle
    /// Leave the file where it is, because the batch's user may not read it.
    case leave
  }

  package let action: Action
  package let trigger: FileName?
  package let channelID: Int64?
  package let channel: String?
  package let user: String?
  package let reason: String?

  private init(
    _ action: Action, trigger: FileName?, channel: Channel? = nil, user: String? = nil, reason: String? = nil
  ) {
    self.action = action
    self.trigger = trigger
    channelID = channel?.id
    self.channel = channel?.name
    self.user = user
    self.reason = reason
  }

  /// The scheduled job of a channel.
  ///
  /// - Parameter reason: why it is not due; nil when it is.
  init(scheduled channel: Channel, waiting reason: String?) {
    self.init(reason == nil ? .run : .wait, trigger: nil, channel: channel, reason: reason)
  }

  /// What the first run would do, which makes the spool.
  package static func firstRun(
    of configuration: Configuration, asOf now: Timestamp, takesAll: Bool = false
  ) -> [PlannedStep] {
    DueChannels(ChannelStates(), configuration, now: now).plan(takesAll: takesAll)
  }

  /// A trigger that a killed run left claimed.
  init(recovering trigger: FileName) {
    self.init(.recover, trigger: trigger, reason: "left by a run that crashed")
  }

  /// The job of a channel for a trigger about which there is nothing else to say.
  init(_ channel: Channel, trigger: FileName) { self.init(.run, trigger: trigger, channel: channel) }

  /// The step that follows from the verdict on a file.
  ///
  /// - Returns: nil when the file is gone.
  init?(_ name: FileName, _ verdict: Verdict) {
    switch verdict {
    case .gone: return nil
    case .unsettled: self.init(.settle, trigger: name, reason: "may still be being written")
    case .unreadable(_, let reason): self.init(.leave, trigger: name, reason: reason)
    case .reject(let reason, _, _): self.init(.reject, trigger: name, reason: reason.text)
    case .expire(let trigger, let channel, let age):
      let reason = Verdict.expiryReason(trigger, age: age, since: "ago")
      self.init(.expire, trigger: name, channel: channel, user: trigger.user, reason: reason)
    case .fail(let trigger, let channel, let reason):
      self.init(.fail, trigger: name, channel: channel, user: trigger.user, reason: reason)
    case .run(let trigger, let channel):
      self.init(.run, trigger: name, channel: channel, user: trigger.user)
    }
  }

  package var json: JSONValue {
    .object([
      ("action", .string(action.rawValue)), ("trigger", .optional(trigger?.description)),
      ("channel_id", .optional(channelID)), ("channel", .optional(channel)), ("user", .optional(user)),
      ("reason", .optional(reason)),
    ])
  }

  /// Appends the step as a line for people.
  package func appendText(to text: inout [UInt8]) {
    let verb =
      switch action {
      case .recover: "recover  "
      case .expire: "expire   "
      case .reject: "reject   "
      case .run: "run      "
      case .wait: "wait     "
      case .fail: "fail     "
      case .settle: "settle   "
      case .leave: "leave    "
      }
    text += verb.utf8
    if action == .run || action == .wait {
      text += "channel \(channelID ?? 0) \"\(channel ?? "")\", ".utf8
      text += (trigger == nil ? "scheduled" : "trigger ").utf8
    }
    trigger?.appendPrintable(to: &text)
    if action == .run, let user { text += ", user \(user.printable)".utf8 }
    if let reason { text += ": \(reason.printable)".utf8 }
    text.append(UInt8(ascii: "\n"))
  }
}
