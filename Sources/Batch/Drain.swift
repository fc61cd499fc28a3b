import Posix
import Spool

/// Works off the spool inside a run: chooses the next trigger, in the byte order of names, until nothing is left but
/// what this run can't work on.
final class Drain {
  /// Looks into the spool are at most this old when a trigger is chosen (promise 4).
  private static let lookAge = Duration.milliseconds(900)
  /// A file that may still be being written is looked at again this often, when there is nothing else to do.
  private static let settlingInterval = Duration.milliseconds(100)
  /// A file that does not become complete for so long is left to a later run.
  private static let settlingPatience = Duration.seconds(60)

  private let run: Run
  private var pending = PendingList()
  private var lookedAt: MonotonicTime?
  private let scout: InspectionReadAhead
  /// At the front of `pending`: how many names the scout was sent to.
  private var scouted = 0
  private var settlingSince: [FileName: MonotonicTime] = [:]
  private var hasUnsettled = false

  init(_ run: Run) {
    self.run = run
    scout = InspectionReadAhead(run.inspector)
  }

  /// Returns when the spool is empty, when only files are left that this run can't work on, or when the batch is asked
  /// to stop. Files that may still be being written are waited for.
  func perform() throws(SystemError) {
    defer { run.releaseKeptLock() }
    while !run.isStopping {
      let isExhausted = pending.first == nil
      if isExhausted { try run.putBackStranded() }
      if isExhausted, hasUnsettled, !isLookOld, let next = run.recovered.first {
        // What may still be being written keeps nobody else from its turn.
        run.recovered.removeFirst()
        try run.rerun(next.claim, next.trigger)
        continue
      }
      if isExhausted, hasUnsettled {
        run.releaseKeptLock()
        try Poll.wait(until: .now() + Self.settlingInterval)
      }
      if isExhausted || isLookOld {
        try look()
        hasUnsettled = false
      }
      // A recovered trigger has been claimed before and keeps its place in the order.
      if let first = run.recovered.first, pending.first.map({ first.trigger.name <= $0 }) ?? true {
        run.recovered.removeFirst()
        try run.rerun(first.claim, first.trigger)
        continue
      }
      guard let name = pending.first else { return }
      pending.removeFirst()
      scouted = max(0, scouted - 1)
      try scoutAhead()
      guard let inspection = try inspection(of: name) else { continue }
      switch try run.work(on: name, inspection) {
      case .settled: if !settlingSince.isEmpty { settlingSince[name] = nil }
      case .unsettled: noteUnsettled(name)
      }
    }
  }

  private var isLookOld: Bool { lookedAt.map { .now() - $0 > Self.lookAge } ?? true }

  private func look() throws(SystemError) {
    if try pending.refresh(from: run.store.root, skipping: run.deferred.pending) { scouted = 0 }
    lookedAt = .now()
  }

  private func inspection(of name: FileName) throws(SystemError) -> Inspection? {
    if let known = scout.report(on: name) { return known }
    return try run.inspect(name)
  }

  private func scoutAhead() throws(SystemError) {
    guard scouted < InspectionReadAhead.reach / 2, pending.count > scouted else { return }
    let names = pending.names(scouted..<min(InspectionReadAhead.reach, pending.count))
    scouted += names.count
    try scout.send(to: names)
  }

  private func noteUnsettled(_ name: FileName) {
    let since = settlingSince[name] ?? .now()
    settlingSince[name] = since
    if .now() - since > Self.settlingPatience {
      run.leavePending(name, because: "it is still being written")
    } else {
      hasUnsettled = true
    }
  }
}
