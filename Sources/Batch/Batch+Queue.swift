import Channels
package import Posix
package import Spool

/// A pending trigger, as `bobbin queue` shows it.
package struct QueueEntry: Sendable {
  package enum State: String, Sendable {
    /// Runs when its turn comes.
    case ready
    /// May still be being written.
    case settling
    /// Too old: the next run expires it.
    case stale
    /// No trigger: the next run rejects it.
    case invalid
    /// Names a channel that is not there or disabled: the next run fails it.
    case unknown
  }

  /// 1-based.
  package let position: Int
  package let trigger: FileName
  package let channelID: Int64?
  package let channel: String?
  package let user: String?
  package let timestamp: Timestamp?
  package let age: Duration?
  package let state: State
  /// Why it will not be run, when it won't.
  package let reason: String?

  package var json: JSONValue {
    .object([
      ("position", .integer(position)), ("trigger", .string(trigger.description)),
      ("channel_id", .optional(channelID)), ("channel", .optional(channel)), ("user", .optional(user)),
      ("timestamp", .optional(timestamp?.rfc3339(fractionDigits: 6))),
      ("age_s", age.map { .seconds($0) } ?? .null),
      ("state", .string(state.rawValue)), ("reason", .optional(reason)),
    ])
  }
}

extension Instance {
  /// Every pending trigger in the order in which they will run, and what will become of it.
  ///
  /// - Parameter moment: that by which the age of triggers is judged.
  package func forEachPending(
    at moment: Timestamp, _ body: (QueueEntry) throws(SystemError) -> Void
  ) throws(SystemError) {
    var pending = PendingList()
    try pending.refresh(from: spool.root, skipping: [])
    let inspector = inspector()
    var position = 0
    while let name = pending.first {
      pending.removeFirst()
      let inspection = try inspector.inspect(name, now: .now())
      if case .vanished = inspection { continue }
      position += 1
      try body(entry(position, name, inspection, at: moment))
    }
  }

  func entry(_ position: Int, _ name: FileName, _ inspection: Inspection, at moment: Timestamp)
    -> QueueEntry
  {
    func entry(_ state: QueueEntry.State, _ reason: String? = nil, _ trigger: Trigger? = nil) -> QueueEntry {
      let channel = trigger.flatMap { self.channel(of: $0) }
      return QueueEntry(
        position: position, trigger: name, channelID: channel?.id, channel: channel?.name,
        user: trigger?.user,
        timestamp: trigger?.requestedAt, age: trigger.map { moment - $0.requestedAt }, state: state,
        reason: reason)
    }
    switch inspection {
    case .vanished: return entry(.invalid)
    case .odd(let reason, _): return entry(.invalid, reason.text)
    case .unsettled: return entry(.settling, "may still be being written")
    case .settled(let trigger):
      switch trigger.channels {
      case .failure(let reason): return entry(.invalid, reason.text, trigger)
      case .success(let references):
        if trigger.isStale(at: moment, after: configuration.expireAfter) {
          return entry(
            .stale,
            "requested at \(trigger.requestedAt.rfc3339()), \((moment - trigger.requestedAt).brief) ago",
            trigger)
        }
        switch resolve(references) {
        case .found: return entry(.ready, nil, trigger)
        case .disabled(_, let reason), .unknown(let reason): return entry(.unknown, reason, trigger)
        }
      }
    }
  }
}
