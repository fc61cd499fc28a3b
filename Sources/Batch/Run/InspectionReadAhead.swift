import Posix
import Spool

/// Inspects the files that come next on its own thread, so that inspections take no time between two jobs.
///
/// Its findings are used for only a tenth of a second, because after a longer job the spool has changed. If a file
/// changes within that time, its claim shows it (`ClaimFolder.isUnchanged`).
final class InspectionReadAhead {
  /// How many files it inspects ahead.
  static let depth = 32
  /// How long a finding is used.
  private static let freshness = Duration.milliseconds(100)

  private struct Finding: Sendable {
    let inspection: Inspection
    let at: MonotonicTime
  }

  private struct State: Sendable {
    var wanted: [FileName] = []
    var findings: [FileName: Finding] = [:]
    var isClosed = false
  }

  private let inspector: Inspector
  private let state = Monitor(State())
  /// Nil until there is something to inspect ahead: most runs meet at most one trigger.
  private var thread: JoinableThread?

  init(_ inspector: Inspector) { self.inspector = inspector }

  deinit {
    state.withLock { $0.isClosed = true }
    state.notifyAll()
    thread.take()?.join()
  }

  /// Has these files inspected next, in this order.
  func send(_ names: [FileName]) throws(SystemError) {
    state.withLock { state in
      let now = MonotonicTime.now()
      state.wanted += names
      state.findings = state.findings.filter { now - $0.value.at < Self.freshness }
    }
    state.notifyAll()
    if !hasThread {
      let (state, inspector) = (state, inspector)
      thread = try JoinableThread { InspectionReadAhead.work(state, inspector) }
    }
  }

  private var hasThread: Bool {
    switch thread {
    case .none: false
    case .some: true
    }
  }

  /// Takes the finding on a name; nil if there is no fresh finding.
  func take(_ name: FileName) -> Inspection? {
    guard let finding = state.withLock({ $0.findings.removeValue(forKey: name) }),
      .now() - finding.at < Self.freshness
    else { return nil }
    return finding.inspection
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
        // An inspection that fails here is tried again, and reported, when its file is chosen.
        guard let inspection = try? inspector.inspect(name, now: .now()) else { continue }
        let finding = Finding(inspection: inspection, at: .now())
        let isClosed = state.withLock { state in
          state.findings[name] = finding
          return state.isClosed
        }
        if isClosed { return }
      }
    }
  }
}
