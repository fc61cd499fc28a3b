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
  /// - Parameter asOf: the time by which the age of triggers is judged.
  package func forEachPlanned(
    asOf now: Timestamp, isSpoolOnly: Bool, _ body: (PlannedStep) throws(SystemError) -> Void
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
    let scheduled = isSpoolOnly ? [] : all.filter(\.enabled)
    if !scheduled.isEmpty {
      for index in 0..<pending.count where scan[index] == .retired { try report(index) }
      for channel in scheduled { try body(PlannedStep(scheduled: channel)) }
    }
    for index in 0..<pending.count where scan[index] != .gone {
      if scheduled.isEmpty || scan[index] != .retired { try report(index) }
    }
  }
}
