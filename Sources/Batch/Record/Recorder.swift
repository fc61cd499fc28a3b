package import History
package import Posix
package import Spool
import Text

/// Makes records durable, and only then finishes their claims: promise 2, "record before remove".
///
/// It works on its own thread while the next job runs: all entries that have come in meanwhile are written with one
/// sync. A crash then costs the repetition of jobs whose record was not yet durable, never a request.
package final class Recorder {
  package struct Entry: Sendable {
    package let record: HistoryRecord
    /// An earlier run has made the record durable, and only the claim was left.
    package let isRecorded: Bool
    /// The claim that the record finishes. Nil for a scheduled job and for the record of a run.
    package let claim: Claim?
    /// What the trigger said, for its result document.
    package let content: [UInt8]

    package init(record: HistoryRecord, isRecorded: Bool = false, claim: Claim? = nil, content: [UInt8] = [])
    {
      self.record = record
      self.isRecorded = isRecorded
      self.claim = claim
      self.content = content
    }
  }

  private struct State: Sendable {
    var waiting: [Entry] = []
    var isWorking = false
    var isClosed = false
    /// Somebody waits for the entries that were handed over, so the recorder does not wait for more.
    var isUrgent = false
    var failure: SystemError?
    var mended = 0
  }

  /// At most this many entries wait while as many are being written: a crash repeats at most twice as many jobs.
  private static let waitingLimit = 256
  /// How long an entry may wait for others to share its syncs, and how many entries are enough. Jobs that take seconds
  /// do not notice this; jobs that take a millisecond are not held up by the disk.
  private static let gathering = (time: Duration.milliseconds(20), count: 32)

  private let state = Monitor(State())
  private var worker: JoinableThread?

  package init(_ store: SpoolStore) throws(SystemError) {
    let state = state
    worker = try JoinableThread { Recorder.work(state, store) }
  }

  deinit { close() }

  /// Hands over an entry. Blocks while too many entries are waiting.
  ///
  /// - Throws: the first failure of any entry. The caller must then start nothing more.
  package func add(_ entry: Entry) throws(SystemError) {
    let (failure, isWorthWaking): (SystemError?, Bool) = state.wait { state in
      if let failure = state.failure { return (failure, false) }
      if state.waiting.count >= Self.waitingLimit { return nil }
      state.waiting.append(entry)
      return (nil, state.waiting.count == 1 || state.waiting.count == Self.gathering.count)
    }
    if let failure { throw failure }
    if isWorthWaking { state.notifyAll() }
  }

  /// Throws when an entry could not be recorded.
  package func check() throws(SystemError) {
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Waits until all entries are durable and their claims are finished.
  package func flush() throws(SystemError) {
    state.withLock { $0.isUrgent = !$0.waiting.isEmpty }
    state.notifyAll()
    let failure: SystemError? = state.wait { state in
      if let failure = state.failure { return .some(failure) }
      return state.waiting.isEmpty && !state.isWorking ? .some(nil) : nil
    }
    if let failure { throw failure }
  }

  /// How many torn last lines of the history were ended so far.
  package var mended: Int { state.withLock { $0.mended } }

  private func close() {
    state.withLock { $0.isClosed = true }
    state.notifyAll()
    worker.take()?.join()
  }

  private static func work(_ state: Monitor<State>, _ store: SpoolStore) {
    let history = HistoryFile(store)
    let finisher = Finisher(store)
    while true {
      state.wait { $0.waiting.isEmpty && !$0.isClosed ? nil : () }
      _ = state.wait(until: .now() + gathering.time) { state in
        state.waiting.count < gathering.count && !state.isUrgent && !state.isClosed ? nil : ()
      }
      let entries = state.withLock { state in
        state.isWorking = true
        state.isUrgent = false
        defer { state.waiting = [] }
        return state.waiting
      }
      state.notifyAll()
      if entries.isEmpty { return }
      var failure: SystemError?
      var mended = false
      do throws(SystemError) {
        mended = try record(entries, store, history, finisher)
      } catch { failure = error }
      state.withLock { state in
        state.isWorking = false
        state.mended += mended ? 1 : 0
        state.failure = state.failure ?? failure
      }
      state.notifyAll()
      // After a failure nothing more is recorded: the claims stay, and the next run recovers them.
      if failure != nil { return }
    }
  }

  /// - Returns: whether a torn last line of the history was ended.
  private static func record(
    _ entries: [Entry], _ store: SpoolStore, _ history: HistoryFile, _ finisher: Finisher
  ) throws(SystemError) -> Bool {
    try syncClaims(entries, store)
    let preparation = try finisher.prepare(
      entries.compactMap { entry in
        guard let claim = entry.claim else { return nil }
        return (
          claim, ResultDocument.disposition(of: entry.record, trigger: claim.trigger, content: entry.content)
        )
      })
    var lines: [UInt8] = []
    for entry in entries where !entry.isRecorded {
      entry.record.json.write(to: &lines)
      lines.append(UInt8(ascii: "\n"))
    }
    var mended = false
    do throws(SystemError) { if !lines.isEmpty { mended = try history.append(lines) } } catch {
      finisher.discard(preparation)
      throw error
    }
    try finisher.complete(preparation)
    return mended
  }

  /// A record must never be on the disk while a power cut can still make its trigger pending again.
  private static func syncClaims(_ entries: [Entry], _ store: SpoolStore) throws(SystemError) {
    var synced: Set<ObjectIdentifier> = []
    for case let claim? in entries.map(\.claim) where synced.insert(ObjectIdentifier(claim.folder)).inserted {
      try claim.folder.sync()
    }
    if !synced.isEmpty { try store.root.sync() }
  }
}
