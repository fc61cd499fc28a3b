import Channels
import History
package import Posix
import Spool

extension Instance {
  /// Pending → cancelled. Works while a run is active: the process that claims a trigger first owns it.
  package func cancel(_ names: [FileName]) throws(SystemError) -> [Cancellation] {
    try withRetirer { retirer, _ throws(SystemError) in
      var results: [Cancellation] = []
      for name in names { results.append(try cancel(name, retirer)) }
      return results
    }
  }

  /// Cancels every pending trigger.
  package func cancelAll() throws(SystemError) -> [(trigger: FileName, result: Cancellation)] {
    let pending = try pendingTriggers()
    let names = pending.names(0..<pending.count)
    return Array(zip(names, try cancel(names)))
  }

  private func cancel(_ name: FileName, _ retirer: TriggerRetirer) throws(SystemError) -> Cancellation {
    guard !name.bytes.contains(UInt8(ascii: "/")), TriggerName.isTrigger(name.bytes) else {
      return .notPending
    }
    let (inspector, triage) = (inspector(), triage(asOf: nil))
    while true {
      let verdict: Verdict
      let file: FileStatus
      do throws(SystemError) {
        guard let status = try spool.root.status(of: name) else { return .notPending }
        file = status
        verdict = triage.verdict(on: try inspector.inspect(name, now: .now()))
      } catch {
        // Nothing has a name that is longer than the file system allows.
        if error.code == .nameTooLong { return .notPending }
        if error.isShortage || error.isDiskFull { throw error }
        // A fault of this one file does not keep the others from being cancelled.
        return .immovable(error)
      }
      switch try retirer.retire(name, file, .cancelled(verdict.trigger, verdict.channel)) {
      case .retired: return .cancelled
      // Another file took the name meanwhile: the file that has the name now is to be cancelled.
      case .gone: continue
      case .immovable(let error): return .immovable(error)
      }
    }
  }

  /// Lends `body` what it needs to retire triggers outside a run, and makes the records durable afterwards.
  func withRetirer<Result>(
    _ body: (TriggerRetirer, RunLedger) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let store = try openStore()
    let claims = ClaimFolder(store, owner: owner)
    let ids = try HistoryIDs(store)
    let ledger = RunLedger(run: nil, recorder: try Recorder(store), log: log, spool: spool)
    let retirer = TriggerRetirer(ids: ids, claims: claims, ledger: ledger, waiting: WaitingClaims(claims))
    let result = try body(retirer, ledger)
    try ledger.flush()
    try ids.sync()
    try claims.close()
    return result
  }
}

extension Verdict {
  /// The trigger in the file, if the file could be read and is a trigger.
  fileprivate var trigger: Trigger? {
    switch self {
    case .gone, .unsettled: nil
    case .unreadable(let trigger, _): trigger
    case .reject(_, _, let trigger): trigger
    case .expire(let trigger, _, _), .fail(let trigger, _, _), .run(let trigger, _): trigger
    }
  }

  fileprivate var channel: Channel? {
    switch self {
    case .gone, .unsettled, .unreadable, .reject: nil
    case .expire(_, let channel, _), .fail(_, let channel, _): channel
    case .run(_, let channel): channel
    }
  }
}
