import Posix
import Spool

/// Looks at the files whose turn comes next, on a thread of its own, so that between two jobs nobody waits for it.
///
/// What it found is used within a moment only; after a longer job the spool is another. Should a file change within that
/// moment, its claim shows it (`ClaimFolder.isUnchanged`).
final class InspectionReadAhead {
  /// How many files it looks ahead.
  static let reach = 32
  /// How long what it found is worth something.
  private static let freshness = Duration.milliseconds(100)

  private struct Report: Sendable {
    let inspection: Inspection
    let at: MonotonicTime
  }

  private struct State: Sendable {
    var wanted: [FileName] = []
    var reports: [FileName: Report] = [:]
    var isClosed = false
  }

  private let inspector: Inspector
  private let state = Monitor(State())
  /// Nil until there is something to look at ahead of time: most runs meet one trigger, or none.
  private var worker: JoinableThread?

  init(_ inspector: Inspector) { self.inspector = inspector }

  deinit { close() }

  /// Has it look at these files next, in this order.
  func send(to names: [FileName]) throws(SystemError) {
    state.withLock { state in
      let now = MonotonicTime.now()
      state.wanted += names
      state.reports = state.reports.filter { now - $0.value.at < Self.freshness }
    }
    state.notifyAll()
    if !hasWorker {
      let (state, inspector) = (state, inspector)
      worker = try JoinableThread { InspectionReadAhead.work(state, inspector) }
    }
  }

  private var hasWorker: Bool {
    switch worker {
    case .none: false
    case .some: true
    }
  }

  /// What it found under a name; nil when it has not looked, not just now, or without success.
  func report(on name: FileName) -> Inspection? {
    guard let report = state.withLock({ $0.reports.removeValue(forKey: name) }),
      .now() - report.at < Self.freshness
    else { return nil }
    return report.inspection
  }

  private func close() {
    state.withLock { $0.isClosed = true }
    state.notifyAll()
    worker.take()?.join()
  }

  private static func work(_ state: Monitor<State>, _ inspector: Inspector) {
    while true {
      let names: [FileName] = state.wait { state in
        if state.wanted.isEmpty { return state.isClosed ? [] : nil }
        defer { state.wanted = [] }
        return state.wanted
      }
      if names.isEmpty { return }
      for name in names {
        // What fails here is no failure yet: it is tried again, and reported, when its turn comes.
        guard let inspection = try? inspector.inspect(name, now: .now()) else { continue }
        let report = Report(inspection: inspection, at: .now())
        let isClosed = state.withLock { state in
          state.reports[name] = report
          return state.isClosed
        }
        if isClosed { return }
      }
    }
  }
}
