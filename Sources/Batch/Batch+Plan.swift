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

  /// Appends the step as a line for people.
  package func appendText(to text: inout [UInt8]) {
    let verb =
      switch action {
      case .recover: "recover  "
      case .expire: "expire   "
      case .reject: "reject   "
      case .run: "run      "
      case .fail: "fail     "
      case .settle: "settle   "
      }
    text += verb.utf8
    if action == .run {
      text += "channel \(channelID ?? 0) \"\(channel ?? "")\", ".utf8
      text += (trigger == nil ? "scheduled" : "trigger ").utf8
    }
    trigger?.appendPrintable(to: &text)
    if action == .run, let user { text += ", user \(user.printable)".utf8 }
    if let reason { text += ": \(reason.printable)".utf8 }
    text.append(UInt8(ascii: "\n"))
  }
}

extension PlannedStep {
  /// The scheduled job of a channel.
  package init(scheduled channel: Channel) { self.init(channel, trigger: nil) }

  /// The job of a channel for a trigger that says nothing else.
  init(_ channel: Channel, trigger: FileName?) {
    self.init(
      action: .run, trigger: trigger, channelID: Int64(channel.id), channel: channel.name, user: nil,
      reason: nil)
  }
}

extension Instance {
  /// What a run would do if it began at that moment, in that order. Changes nothing, not even a time of a file.
  ///
  /// With scheduled channels, what is expired or rejected comes before them; without, where its name puts it: as in a
  /// run. A file that the run must not take for complete yet may be told as if it were (see `Inspector.glance`).
  package func forEachPlanned(
    at moment: Timestamp, isSpoolOnly: Bool, _ body: (PlannedStep) throws(SystemError) -> Void
  ) throws(SystemError) {
    for claim in try abandonedClaims() {
      try body(step(.recover, claim.trigger, "left by a run that crashed"))
    }
    var pending = PendingList()
    try pending.refresh(from: spool.root, skipping: [])
    let survey = try DryRunScan(self, pending, at: moment)
    let channels = isSpoolOnly ? [] : configuration.channels.filter(\.enabled)
    func tell(_ index: Int) throws(SystemError) {
      let name = pending.name(index)
      if case .run(let id) = survey[index], let channel = configuration.channel(id: id) {
        try body(PlannedStep(channel, trigger: name))
      } else if let entry = try planEntry(name, inspector(), at: moment) {
        try body(step(for: entry))
      }
    }
    if channels.isEmpty {
      for index in 0..<pending.count where survey[index] != .gone { try tell(index) }
      return
    }
    for index in 0..<pending.count where survey[index] == .givenUp { try tell(index) }
    for channel in channels { try body(PlannedStep(scheduled: channel)) }
    for index in 0..<pending.count where survey[index] != .givenUp && survey[index] != .gone {
      try tell(index)
    }
  }

  /// What will become of one file; nil when it is not there any more.
  func planEntry(
    _ name: FileName, _ inspector: Inspector, at moment: Timestamp
  ) throws(SystemError) -> QueueEntry? {
    if let file = try inspector.glance(at: name, now: .now()) {
      return entry(0, name, .settled(Trigger(name: name, file: file, bytes: [])), at: moment)
    }
    let inspection = try inspector.inspect(name, now: .now())
    if case .vanished = inspection { return nil }
    return entry(0, name, inspection, at: moment)
  }

  private func step(for entry: QueueEntry) -> PlannedStep {
    switch entry.state {
    case .stale: step(.expire, entry)
    case .invalid: step(.reject, entry)
    case .ready: step(.run, entry)
    case .unknown: step(.fail, entry)
    case .settling: step(.settle, entry)
    }
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
