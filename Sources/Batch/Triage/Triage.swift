package import Channels
package import Posix
package import Spool

/// Decides what becomes of a file in the spool: here and nowhere else. The drain, the expiry pass, recovery, `queue`,
/// `prune`, `cancel` and `--dry-run` all ask this.
package struct Triage: Sendable {
  private let configuration: Configuration
  private let rules: SettleRules
  /// The time by which the age of a trigger is judged. For a run that is when it took the lock, so that a long run never
  /// expires a trigger that arrived while it was busy. Nil: age does not matter, because the trigger is claimed already.
  private let asOf: Timestamp?

  package init(configuration: Configuration, asOf: Timestamp?) {
    self.configuration = configuration
    rules = configuration.settleRules
    self.asOf = asOf
  }

  /// A pure function of its argument and of the values that this was made with.
  package func verdict(on inspection: Inspection) -> Verdict {
    switch inspection {
    case .vanished: return .gone
    case .unsettled(let file): return .unsettled(file)
    case .invalid(let reason, let file): return .reject(reason, file, nil)
    case .unreadable(let trigger): return verdict(onUnreadable: trigger)
    case .settled(let trigger, let rested):
      // A writer may have closed the file and go on in a moment: to run a complete one is right, to give one up is not.
      let canCondemn = rested >= rules.restBeforeCondemning(trigger.content)
      let references: [ChannelReference]
      switch trigger.channels {
      case .failure(let reason):
        return canCondemn ? .reject(reason, trigger.file, trigger) : .unsettled(trigger.file)
      case .success(let found): references = found
      }
      let resolution = resolve(references)
      if let age = staleAge(of: trigger.requestedAt) { return .expire(trigger, resolution.channel, age: age) }
      switch resolution {
      case .found(let channel): return .run(trigger, channel)
      case .disabled(let channel, let reason): return .fail(trigger, channel, reason: reason)
      case .unknown(let reason):
        return canCondemn ? .fail(trigger, nil, reason: reason) : .unsettled(trigger.file)
      }
    }
  }

  private func verdict(onUnreadable trigger: Trigger) -> Verdict {
    if let age = staleAge(of: trigger.requestedAt) { return .expire(trigger, nil, age: age) }
    var reason = "its user cannot be read by the batch"
    if case .invalid(let text) = trigger.content { reason = text }
    return .unreadable(trigger, reason: reason)
  }

  /// The age of a request that is older than `expire_after`; nil for a request that is not.
  func staleAge(of requestedAt: Timestamp) -> Duration? {
    guard let asOf, let limit = configuration.expireAfter else { return nil }
    let age = asOf - requestedAt
    return age > limit ? age : nil
  }

  /// The channel that a trigger means: all its references must lead to the same one.
  package func resolve(_ references: [ChannelReference]) -> ChannelResolution {
    var found: Channel?
    for reference in references {
      let channel =
        switch reference {
        case .id(let id): configuration.channel(id: id)
        case .name(let name): configuration.channel(name: name)
        }
      guard let channel else { return .unknown(reason: "no channel \(reference) in \(configuration.file)") }
      if let found, found.id != channel.id {
        let names = references.map(\.description).joined(separator: " and ")
        return .unknown(reason: "\(names) are two different channels")
      }
      found = channel
    }
    guard let found else { return .unknown(reason: "the trigger does not name a channel") }
    if !found.enabled {
      return .disabled(found, reason: "channel \"\(found.name)\" is disabled in \(configuration.file)")
    }
    return .found(found)
  }
}

extension ChannelResolution {
  /// The channel, enabled or not.
  fileprivate var channel: Channel? {
    switch self {
    case .found(let channel), .disabled(let channel, _): channel
    case .unknown: nil
    }
  }
}
