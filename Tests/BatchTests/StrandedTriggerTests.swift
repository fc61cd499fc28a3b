import Batch
import History
import Posix
import Spool
import TestSupport
import Testing

/// Promise 5, and the reason for the scan after the unlocking.
///
/// The batch runs in the process of the tests, and a batch ends all processes that its jobs leave behind: all children
/// of its process. This is another reason why these tests run alone.
@Suite("A trigger that comes between the last scan and the unlocking", .serialized, .alone)
struct StrandedTriggerTests {
  private let instance: TestInstance
  private let opened: Instance
  private let wasDropped = Monitor(false)

  /// An instance in which a trigger is dropped between the last scan and the unlocking: a torn last line of the history
  /// is logged after the drain and before the lock is released, and the test watches the log.
  init() throws {
    let instance = try TestInstance()
    try instance.drop("early.json")
    try instance.directory.write("spool/history.jsonl", "{\"id\":1,\"run\":1,\"ki")
    self.instance = instance
    let wasDropped = wasDropped
    opened = try instance.opened { line in
      guard line.contains("torn last line"), !wasDropped.withLock({ $0 }) else { return }
      wasDropped.withLock { $0 = (try? instance.drop("late.json")) != nil }
    }
  }

  private var options: RunOptions {
    var options = RunOptions()
    options.isSpoolOnly = true
    return options
  }

  @Test("A single holding of the lock would strand the trigger")
  func oneHolding() throws {
    guard case .ran(let report) = try opened.runOnce(.manual, options) else {
      Issue.record("the lock was not free")
      return
    }
    #expect(wasDropped.withLock { $0 })
    #expect(report.statistics.triggers.succeeded == 1)
    #expect(try instance.pending() == ["late.json"])
  }

  @Test("The command scans again after the unlocking, and runs the trigger")
  func scanAfterUnlocking() throws {
    guard case .completed(let summary) = try opened.run(.manual, options, wait: .nobody) else {
      Issue.record("the lock was not free")
      return
    }
    #expect(wasDropped.withLock { $0 })
    #expect(summary.statistics.triggers.succeeded == 2)
    #expect(try instance.pending() == [])
    #expect(try instance.ledger() == ["manual demo early.json", "manual demo late.json"])
  }
}
