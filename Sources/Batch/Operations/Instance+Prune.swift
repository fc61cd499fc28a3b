import Channels
import History
package import Posix
import Spool

extension Instance {
  /// Expires stale triggers, and removes files that have been kept long enough. Works while a run is active; age is
  /// then judged by the time at which that run began, as in the run itself.
  package func prune(now: Timestamp = .now()) throws(SystemError) -> Pruning {
    let triage = triage(asOf: try ageReference(now))
    let store = try openStore()
    let (expired, left) = try withRetirer { retirer, ledger throws(SystemError) in
      var pending = try pendingTriggers()
      let inspector = inspector(store.leases)
      while let name = pending.popFirst() {
        guard
          case .expire(let trigger, let channel, let age) = triage.verdict(
            on: try inspector.inspect(name, now: .now()))
        else { continue }
        _ = try retirer.retireOrDefer(
          name, trigger.file,
          .expired(trigger, channel, age: age, limit: configuration.expireAfter, since: "ago"))
      }
      return (ledger.statistics.triggers.expired, ledger.statistics.triggers.deferred)
    }
    let retention = ResultRetention(store: store, keepResults: configuration.keepResults, now: now)
    return Pruning(expired: expired, left: left, removed: try retention.perform())
  }

  /// When the active run began; `now` if no run is active.
  private func ageReference(_ now: Timestamp) throws(SystemError) -> Timestamp {
    let lockFile = try lockFile()
    guard try lockFile.isHeld(), let holder = try lockFile.livingHolder(asSeenBy: owner),
      let began = Timestamp(rfc3339: holder.startedAt)
    else { return now }
    return min(now, began)
  }
}
