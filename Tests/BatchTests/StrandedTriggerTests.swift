import Batch
import History
import Posix
import Spool
import TestSupport
import Testing

/// Promise 5, and what the scan after the unlocking is for.
///
/// The batch runs in the process of the tests here, and a batch ends whatever its jobs leave behind: all children of
/// its process. That is one more reason why each test here runs alone.
@Suite("A trigger that comes between the last scan and the unlocking", .serialized, .alone)
struct StrandedTriggerTests {
  private let instance: TestInstance
  private let opened: Instance
  private let wasDropped = Monitor(false)

  /// An instance in which a trigger is dropped exactly then: a torn last line of the history is reported after the
  /// drain and before the lock is released, and the test reads the log along.
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

  @Test("One holding of the lock alone would strand the trigger")
  func oneHolding() throws {
    guard case .ran(let report) = try opened.runOnce(.manual, options) else {
      Issue.record("the lock was not free")
      return
    }
    #expect(wasDropped.withLock { $0 })
    #expect(report.statistics.triggers.succeeded == 1)
    #expect(try instance.pending() == ["late.json"])
  }

  @Test("The same command scans again after the unlocking, and carries the trigger out")
  func scanAfterUnlocking() throws {
    guard case .completed(let summary) = try opened.run(.manual, options, wait: nil) else {
      Issue.record("the lock was not free")
      return
    }
    #expect(wasDropped.withLock { $0 })
    #expect(summary.statistics.triggers.succeeded == 2)
    #expect(try instance.pending() == [])
    #expect(try instance.ledger() == ["manual demo early.json", "manual demo late.json"])
  }
}
