@testable import Batch
import Posix
import TestSupport
import Testing

/// Promise 5, and what the second look after the unlocking is for.
///
/// The batch runs in the process of the tests here, and a batch ends whatever its jobs leave behind: all children of
/// its process. That is one more reason why each test here runs alone.
@Suite("a trigger that comes between the last look and the unlocking", .serialized, .alone)
struct StrandedTriggerTests {
  /// An instance in which a trigger is dropped exactly then: a torn last line of the history is reported after the
  /// spool was worked off and before the lock is given up, and the test reads the log along.
  private func run(scansAgain: Bool) throws -> (instance: TestInstance, outcome: RunResult, wasDropped: Bool)
  {
    let instance = try TestInstance()
    try instance.drop("early.json")
    try instance.directory.write("spool/history.jsonl", "{\"id\":1,\"run\":1,\"ki")
    let wasDropped = Monitor(false)
    let batch = try instance.batch { line in
      guard line.contains("torn last line"), !wasDropped.withLock({ $0 }) else { return }
      wasDropped.withLock { $0 = (try? instance.drop("late.json")) != nil }
    }
    var options = RunOptions()
    options.isSpoolOnly = true
    let outcome = try batch.run(.manual, options, wait: nil, scansAgain: scansAgain)
    return (instance, outcome, wasDropped.withLock { $0 })
  }

  @Test("is stranded by a run that does not look again")
  func strandedWithoutSecondLook() throws {
    let (instance, outcome, wasDropped) = try run(scansAgain: false)
    #expect(wasDropped)
    #expect(try instance.pending() == ["late.json"])
    guard case .completed(let summary) = outcome else {
      Issue.record("the lock was not free")
      return
    }
    #expect(summary.statistics.triggers.succeeded == 1)
  }

  @Test("is worked off by the same run, which looks again")
  func workedOffWithSecondLook() throws {
    let (instance, outcome, wasDropped) = try run(scansAgain: true)
    #expect(wasDropped)
    #expect(try instance.pending() == [])
    guard case .completed(let summary) = outcome else {
      Issue.record("the lock was not free")
      return
    }
    #expect(summary.statistics.triggers.succeeded == 2)
    #expect(try instance.ledger() == ["manual demo early.json", "manual demo late.json"])
  }
}
