import Posix
import Spool

/// Works off the spool inside a run: chooses the next trigger, in the byte order of names, until nothing is left but
/// what this run can't work on.
///
/// While a job runs there is nothing to do but wait, so the trigger that will probably be next is looked at then. What
/// was found is used only if the job took a moment; after a longer one the spool is another.
final class Drain {
  /// Looks into the spool are at most this old when a trigger is chosen (promise 4).
  private static let lookAge = Duration.milliseconds(900)
  /// What was found out about a file ahead of its turn is worth nothing after this time. Should the file change within
  /// it, the claim shows that.
  private static let foresightAge = Duration.milliseconds(100)
  /// A file that may still be being written is looked at again this often, when there is nothing else to do.
  private static let settlingInterval = Duration.milliseconds(100)
  /// A file that does not become complete for so long is left to a later run.
  private static let settlingPatience = Duration.seconds(60)

  private let run: Run
  private var pending = PendingList()
  private var lookedAt: MonotonicTime?
  private var foreseen: (name: FileName, inspection: Inspection, at: MonotonicTime)?
  private var settlingSince: [FileName: MonotonicTime] = [:]
  private var hasUnsettled = false

  init(_ run: Run) { self.run = run }

  /// Returns when the spool is empty, when only files are left that this run can't work on, or when the batch is asked
  /// to stop. Files that may still be being written are waited for.
  func perform() throws(SystemError) {
    while !run.isStopping {
      let isExhausted = pending.first == nil
      if isExhausted { try run.putBackStranded() }
      if isExhausted, hasUnsettled, run.recovered.isEmpty {
        _ = try Poll.wait(until: .now() + Self.settlingInterval)
      }
      if isExhausted || isLookOld {
        try look()
        hasUnsettled = false
      }
      // A recovered trigger has been claimed before and keeps its place in the order.
      if let first = run.recovered.first, pending.first.map({ first.trigger.name <= $0 }) ?? true {
        run.recovered.removeFirst()
        try run.rerun(first.claim, first.trigger, onStart: foresee)
        continue
      }
      guard let name = pending.first else { return }
      pending.removeFirst()
      switch try run.work(on: name, inspection(of: name), onStart: foresee) {
      case .settled: if !settlingSince.isEmpty { settlingSince[name] = nil }
      case .unsettled: noteUnsettled(name)
      }
    }
  }

  private var isLookOld: Bool { lookedAt.map { .now() - $0 > Self.lookAge } ?? true }

  private func look() throws(SystemError) {
    try pending.refresh(from: run.interior.root, skipping: run.deferred)
    lookedAt = .now()
  }

  private func inspection(of name: FileName) throws(SystemError) -> Inspection {
    defer { foreseen = nil }
    if let foreseen, foreseen.name == name, .now() - foreseen.at < Self.foresightAge {
      return foreseen.inspection
    }
    return try run.inspector.inspect(name, now: .now())
  }

  /// Looks ahead. What fails here is no failure yet: it is tried again, and reported, when its turn comes.
  private func foresee() {
    do throws(SystemError) {
      if isLookOld { try look() }
      guard let name = pending.first else { return }
      foreseen = (name, try run.inspector.inspect(name, now: .now()), .now())
    } catch { foreseen = nil }
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
