package import Channels
package import Posix
package import Spool

/// One thing a run would do now, in the order in which it would do it.
package struct PlannedStep: Sendable {
  package enum Action: String, Sendable {
    /// Finish or repeat what a crashed run left.
    case recover
    case expire, reject
    /// Run a job: a scheduled one when it has no trigger.
    case run
    /// Put a trigger into `failed/` because its channel is not there or disabled.
    case fail
    /// Wait until the file is surely complete.
    case settle
  }

  package let action: Action
  package let trigger: FileName?
  package let channelID: Int64?
  package let channel: String?
  package let user: String?
  package let reason: String?

  package var json: JSONValue {
    .object([
      ("action", .string(action.rawValue)), ("trigger", .optional(trigger?.description)),
      ("channel_id", .optional(channelID)), ("channel", .optional(channel)), ("user", .optional(user)),
      ("reason", .optional(reason)),
    ])
  }

  package var text: String {
    let name = trigger?.description.printable ?? ""
    let why = reason.map { ": \($0.printable)" } ?? ""
    let what = channel.map { " channel \(channelID ?? 0) \"\($0)\"" } ?? ""
    return switch action {
    case .recover: "recover  \(name)\(why)"
    case .expire: "expire   \(name)\(why)"
    case .reject: "reject   \(name)\(why)"
    case .run where trigger == nil: "run     \(what), scheduled"
    case .run: "run     \(what), trigger \(name)\(user.map { ", user \($0.printable)" } ?? "")"
    case .fail: "fail     \(name)\(why)"
    case .settle: "settle   \(name)\(why)"
    }
  }
}

extension PlannedStep {
  /// The scheduled job of a channel.
  package init(scheduled channel: Channel) {
    self.init(
      action: .run, trigger: nil, channelID: Int64(channel.id), channel: channel.name, user: nil, reason: nil)
  }
}

extension Batch {
  /// What a run would do if it began at that moment. Changes nothing, not even a time of a file.
  ///
  /// What is expired or rejected comes first, as in a run.
  package func forEachPlanned(
    at moment: Timestamp, isSpoolOnly: Bool, _ body: (PlannedStep) throws(SystemError) -> Void
  ) throws(SystemError) {
    if let status = try spool.root.status(of: SpoolFolder.running.name), status.kind == .directory {
      let running = try spool.root.directory(SpoolFolder.running.name)
      for claim in try AbandonedClaims(in: running, observer: owner, removesEmpty: false).claims {
        try body(step(.recover, claim.trigger, "left by a run that crashed"))
      }
    }
    var later: [PlannedStep] = []
    try forEachPending(at: moment) { entry throws(SystemError) in
      switch entry.state {
      case .stale: try body(step(.expire, entry))
      case .invalid: try body(step(.reject, entry))
      case .ready: later.append(step(.run, entry))
      case .unknown: later.append(step(.fail, entry))
      case .settling: later.append(step(.settle, entry))
      }
    }
    if !isSpoolOnly {
      for channel in configuration.channels where channel.enabled {
        try body(PlannedStep(scheduled: channel))
      }
    }
    for step in later { try body(step) }
  }

  private func step(_ action: PlannedStep.Action, _ entry: QueueEntry) -> PlannedStep {
    PlannedStep(
      action: action, trigger: entry.trigger, channelID: entry.channelID, channel: entry.channel,
      user: entry.user,
      reason: entry.reason)
  }

  private func step(_ action: PlannedStep.Action, _ trigger: FileName, _ reason: String) -> PlannedStep {
    PlannedStep(action: action, trigger: trigger, channelID: nil, channel: nil, user: nil, reason: reason)
  }
}
