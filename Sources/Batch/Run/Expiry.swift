import Posix
import Spool

/// Retires the triggers that are too old, and the files that cannot be triggers, before the scheduled channels are run.
struct Expiry {
  private let context: RunContext

  init(_ context: RunContext) { self.context = context }

  func perform() throws(SystemError) {
    var pending = PendingList()
    try pending.refresh(from: context.store.root, skipping: context.ledger.deferred.pending)
    while let name = pending.popFirst(), !context.isStopping {
      guard let inspection = try context.inspect(name) else { continue }
      try context.retire(context.triage.verdict(on: inspection), name)
    }
  }
}
