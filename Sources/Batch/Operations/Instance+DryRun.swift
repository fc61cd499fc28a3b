import Channels
package import Posix
import Spool

extension Instance {
  /// What a run would do if it began now, in the order of the run. Changes nothing, not even a time of a file.
  ///
  /// As in a run, files that are expired or rejected come before the scheduled channels; without scheduled channels,
  /// each file comes where its name puts it. A file that a run must not take for complete yet may be reported as if it
  /// were complete (see `Inspector.peek`).
  ///
  /// - Parameters:
  ///   - asOf: the time by which the age of triggers is judged, and which channels are due.
  ///   - takesAll: includes the channels that are not due.
  package func forEachPlanned(
    asOf now: Timestamp, isSpoolOnly: Bool, takesAll: Bool = false,
    _ body: (PlannedStep) throws(SystemError) -> Void
  ) throws(SystemError) {
    for claim in try abandonedClaims() { try body(PlannedStep(recovering: claim.trigger)) }
    let pending = try pendingTriggers()
    let (inspector, triage, all) = (inspector(), triage(asOf: now), configuration.channels)
    let scan = try DryRunScan(pending, inspector, triage, channels: all)
    func report(_ index: Int) throws(SystemError) {
      let name = pending.name(index)
      if case .run(let channel) = scan[index] { return try body(PlannedStep(all[channel], trigger: name)) }
      let inspection = try inspector.inspection(of: name, inspector.peek(name, now: .now()), now: .now())
      if let step = PlannedStep(name, triage.verdict(on: inspection)) { try body(step) }
    }
    let scheduled = isSpoolOnly ? [] : try dueChannels(asOf: now).due.plan(takesAll: takesAll)
    let runsChannels = scheduled.contains { $0.action == .run }
    if runsChannels {
      for index in 0..<pending.count where scan[index] == .retired { try report(index) }
    }
    for step in scheduled { try body(step) }
    for index in 0..<pending.count where scan[index] != .gone {
      if !runsChannels || scan[index] != .retired { try report(index) }
    }
  }
}
