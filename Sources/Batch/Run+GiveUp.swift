import Channels
import Posix
import Spool

/// Triggers that are not run: given up, or left for a later run.
extension Run {
  /// Looks at one file. What can't be looked at (something is mounted there, a device has failed) is left, with a warning,
  /// and keeps nothing else from running.
  func inspect(_ name: FileName) throws(SystemError) -> Inspection? {
    do throws(SystemError) { return try inspector.inspect(name, now: .now()) } catch {
      if error.isShortage { throw error }
      leavePending(name, because: "it cannot be examined: \(error)")
      hasTrouble = true
      return nil
    }
  }

  func isStale(_ trigger: Trigger) -> Bool {
    trigger.isStale(at: startedAt, after: batch.configuration.expireAfter)
  }

  /// Pending → expired, with a warning that says the trigger's time and age.
  func expire(_ trigger: Trigger) throws(SystemError) {
    let requested = trigger.requestedAt.rfc3339()
    let age = (startedAt - trigger.requestedAt).brief
    try giveUp(
      trigger.name, trigger.file, .expired, "requested at \(requested), \(age) before the run began",
      trigger: trigger)
  }

  /// Pending → expired or rejected, by way of a claim.
  ///
  /// A file that cannot be taken (immutable, or another user's directory) stays, and is reported as trouble: it keeps
  /// nothing else from running.
  func giveUp(
    _ name: FileName, _ file: FileStatus, _ outcome: Outcome, _ reason: String, trigger: Trigger? = nil
  ) throws(SystemError) {
    let disposal = TriggerRetirer(store: store, ids: ids, claims: claims, recorder: recorder)
    switch try disposal.giveUp(
      name, file, outcome, reason, run: id, channel: trigger.flatMap { batch.channel(of: $0) },
      trigger: trigger)
    {
    case .done: break
    case .gone(let waiting):
      if let waiting { stranded.append(waiting) }
      return
    case .immovable(let error):
      leavePending(name, because: "it cannot be moved: \(error)")
      hasTrouble = true
      return
    }
    switch outcome {
    case .expired:
      statistics.triggers.expired += 1
      batch.log.warning(
        "trigger expired",
        [
          "trigger": name.description, "timestamp": trigger?.requestedAt.rfc3339(),
          "age": trigger.map { (startedAt - $0.requestedAt).brief },
          "limit": batch.configuration.expireAfter?.brief, "moved_to": store[.expired].path,
        ])
    default:
      statistics.triggers.rejected += 1
      batch.log.warning(
        "file rejected: \(reason)",
        ["trigger": name.description, "moved_to": store[.rejected].path])
    }
  }

  /// A trigger that this run can't work on stays for a later one.
  func leavePending(_ name: FileName, because reason: String) {
    guard deferred.pending.insert(name).inserted else { return }
    statistics.triggers.deferred += 1
    batch.log.warning("trigger left pending: \(reason)", ["trigger": name.description])
  }

  /// The same for one that a dead run has claimed. Another of its name may be pending, and have its turn.
  func leaveClaimed(_ name: FileName, because reason: String) {
    guard deferred.claimed.insert(name).inserted else { return }
    statistics.triggers.deferred += 1
    batch.log.warning("trigger left claimed: \(reason)", ["trigger": name.description])
  }
}
