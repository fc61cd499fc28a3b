import Channels
import Posix
import Spool

/// Processes the spool inside a run: chooses the next trigger, in the byte order of names, until only triggers are left
/// that this run cannot work on.
final class Drain {
  /// A scan of the spool is at most this old when a trigger is chosen (promise 4).
  private static let maxScanAge = Duration.milliseconds(900)
  /// How often a file that may still be being written is inspected again, when there is nothing else to do.
  private static let settlingInterval = Duration.milliseconds(100)
  /// A file that is not complete after this time is left to a later run.
  private static let settlingPatience = Duration.seconds(60)

  private let context: RunContext
  private let executor: TriggerExecutor
  private let readAhead: InspectionReadAhead
  /// Triggers of killed runs, in the order of their names.
  private var retries: ArraySlice<ClaimedTrigger>
  private var pending = PendingList()
  private var lastScan: MonotonicTime?
  /// How many names at the front of `pending` were given to `readAhead`.
  private var prefetched = 0
  private var settlingSince: [FileName: MonotonicTime] = [:]
  private var hasUnsettled = false

  init(_ context: RunContext, retries: [ClaimedTrigger]) {
    self.context = context
    self.retries = retries[...]
    executor = TriggerExecutor(context)
    readAhead = InspectionReadAhead(context.inspector)
  }

  /// Returns when the spool is empty, when only files are left that this run cannot work on, or when the batch is asked
  /// to stop. Files that may still be being written are waited for.
  func perform() throws(SystemError) {
    defer { context.channelLocks.releaseKept() }
    loop: while !context.isStopping {
      switch try next() {
      case .nothing: break loop
      case .retry(let claimed): try executor.retry(claimed)
      case .pending(let name): try execute(name)
      }
    }
    for claim in context.waiting.waiting { context.ledger.leftWaiting(claim) }
  }

  private enum Next {
    case retry(ClaimedTrigger)
    case pending(FileName)
    case nothing
  }

  private func next() throws(SystemError) -> Next {
    if pending.first == nil {
      try context.waiting.retry()
      if hasUnsettled {
        // A file that is still being written does not keep other triggers waiting.
        if !isScanStale, let retry = retries.popFirst() { return .retry(retry) }
        context.channelLocks.releaseKept()
        try Poll.wait(until: .now() + Self.settlingInterval)
      }
      try scan()
    } else if isScanStale {
      try scan()
    }
    // A retry was claimed before, and keeps its place in the order.
    if let retry = retries.first, pending.first.map({ retry.trigger.name <= $0 }) ?? true {
      retries.removeFirst()
      return .retry(retry)
    }
    guard let name = pending.popFirst() else { return .nothing }
    prefetched = max(0, prefetched - 1)
    return .pending(name)
  }

  private func execute(_ name: FileName) throws(SystemError) {
    try readAheadOfPending()
    guard let inspection = try inspection(of: name) else { return }
    switch try executor.execute(context.triage.verdict(on: inspection), name) {
    case .done: if !settlingSince.isEmpty { settlingSince[name] = nil }
    case .again(let file): noteUnsettled(name, file)
    }
  }

  private func inspection(of name: FileName) throws(SystemError) -> Inspection? {
    if let ready = readAhead.take(name) { return ready }
    return try context.inspect(name)
  }

  private var isScanStale: Bool { lastScan.map { .now() - $0 > Self.maxScanAge } ?? true }

  private func scan() throws(SystemError) {
    if try pending.refresh(from: context.store.root, skipping: context.ledger.deferred.pending) {
      prefetched = 0
    }
    lastScan = .now()
    hasUnsettled = false
  }

  private func readAheadOfPending() throws(SystemError) {
    let depth = InspectionReadAhead.depth
    guard prefetched < depth / 2, pending.count > prefetched else { return }
    let names = pending.names(prefetched..<min(depth, pending.count))
    prefetched += names.count
    try readAhead.send(names)
  }

  private func noteUnsettled(_ name: FileName, _ file: FileStatus) {
    let since = settlingSince[name] ?? .now()
    settlingSince[name] = since
    let patience = Self.settlingPatience + context.instance.configuration.rest
    if .now() - since > patience || Timestamp.now() - file.changed > patience
      || context.ledger.isReported(name)
    {
      context.ledger.deferPending(name, reason: "it is still being written", isFault: false)
    } else {
      hasUnsettled = true
    }
  }
}
