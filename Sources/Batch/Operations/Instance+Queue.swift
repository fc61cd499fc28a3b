package import Posix
import Spool

extension Instance {
  /// Every pending trigger in the order in which they will run, and what will become of it.
  ///
  /// - Parameter asOf: the time by which the age of triggers is judged.
  package func forEachPending(
    asOf now: Timestamp, _ body: (QueueEntry) throws(SystemError) -> Void
  ) throws(SystemError) {
    var pending = try pendingTriggers()
    let (inspector, triage) = (inspector(), triage(asOf: now))
    var position = 1
    while let name = pending.popFirst() {
      let verdict = triage.verdict(on: try inspector.inspect(name, now: .now()))
      guard let entry = QueueEntry(position: position, name, verdict, asOf: now) else { continue }
      position += 1
      try body(entry)
    }
  }
}
