import Foundation
import History
import Posix
import Spool
import TestSupport
import Testing

@testable import Batch

@Suite("The drain", .serialized, .alone)
struct DrainTests {
  private func drain(_ run: TestRun, retries: [ClaimedTrigger] = []) throws {
    try Drain(run.context, retries: retries).perform()
  }

  @Test("Triggers run in the byte order of their names")
  func order() throws {
    let instance = try TestInstance()
    for name in ["b.json", "10.json", "a.json", "9.json", "B.json"] { try instance.drop(name) }
    let run = try TestRun(instance)
    try drain(run)
    #expect(
      try instance.ledger()
        == ["10.json", "9.json", "B.json", "a.json", "b.json"].map { "manual demo \($0)" })
    #expect(run.context.ledger.statistics.triggers.succeeded == 5)
    #expect(try instance.pending() == [])
  }

  @Test("A drain acts on each verdict, and one failure stops nothing")
  func verdicts() throws {
    let instance = try TestInstance(
      channels:
        #"{ id: 1, name: "demo", command: ["handlers/note"] }, { id: 2, name: "bad", command: ["handlers/fail"] }"#
    )
    try instance.drop("a.json", "9\n")
    try instance.drop("b.json", "2\n")
    try instance.drop("c.json", "[]\n")
    try instance.drop("d.json", "1\n", age: .seconds(7_200))
    try instance.drop("e.json", "1\n")
    let run = try TestRun(instance)
    try drain(run)
    #expect(
      try run.outcomes()
        == ["a.json failed", "b.json failed", "c.json rejected", "d.json expired", "e.json succeeded"])
    #expect(try instance.ledger() == ["manual bad b.json", "manual demo e.json"])
    let triggers = run.context.ledger.statistics.triggers
    #expect(triggers.succeeded == 1)
    #expect(triggers.failed == 2)
    #expect(triggers.expired == 1)
    #expect(triggers.rejected == 1)
  }

  @Test("A drain that is asked to stop does not start another job")
  func stop() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let run = try TestRun(instance)
    run.signals.withLock { $0 = [SIGTERM] }
    try drain(run)
    #expect(try instance.ledger() == [])
    #expect(try instance.pending() == ["a.json", "b.json"])
  }

  @Test("A retry keeps its place in the order of names, and counts its attempt")
  func retries() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json", "c.json"] { try instance.drop(name) }
    let run = try TestRun(instance)
    let inspection = try run.context.inspector.inspect(FileName("b.json"), now: .now())
    guard case .settled(let trigger, _) = inspection else { throw Failure("b.json is settled") }
    let id = try run.context.ids.next()
    let claim = try #require(try run.context.claims.claim(trigger.name, id: id, state: .attempt(1)))
    try drain(run, retries: [ClaimedTrigger(claim: claim, trigger: trigger, attempt: 1)])
    #expect(try instance.ledger() == ["a.json", "b.json", "c.json"].map { "manual demo \($0)" })
    try run.context.ledger.flush()
    #expect(try instance.records(of: "b.json").map { $0["attempt"] } == [2])
  }

  @Test("A trigger that was already deferred is neither run nor counted again")
  func deferred() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    var options = RunOptions()
    options.deferred.pending = [FileName("a.json")]
    let run = try TestRun(instance, options: options)
    try drain(run)
    #expect(try instance.ledger() == ["manual demo b.json"])
    #expect(try instance.pending() == ["a.json"])
    #expect(run.context.ledger.statistics.triggers.deferred == 0)
  }

  @Test(
    "A file that an earlier run of the process has reported as open is neither waited for nor reported again")
  func reported() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let writer = try Directory(path: instance.spool).open(FileName("a.json"), .append)
    var options = RunOptions()
    options.reported = [FileName("a.json")]
    let run = try TestRun(instance, options: options)
    try drain(run)
    _ = writer.number
    #expect(try instance.pending() == ["a.json"])
    #expect(try instance.ledger() == ["manual demo b.json"])
    #expect(run.context.ledger.deferred.pending == [FileName("a.json")])
    #expect(run.log.withLock { $0 }.contains { $0.contains("left pending") } == false)
  }

  @Test("A trigger whose channel is locked by an orphan stays pending, and the others run")
  func locked() throws {
    let instance = try TestInstance(
      channels:
        #"{ id: 1, name: "demo", command: ["handlers/note"] }, { id: 2, name: "held", command: ["handlers/note"] }"#
    )
    try instance.drop("a.json", "2\n")
    try instance.drop("b.json", "1\n")
    let run = try TestRun(instance)
    guard let lock = try FileLock.tryAcquire(FileName("2.lock"), in: run.context.store[.channels]) else {
      throw Failure("the lock is not free")
    }
    try drain(run)
    let isHeld = try lock.isStillInPlace()
    #expect(isHeld)
    #expect(try instance.pending() == ["a.json"])
    #expect(try instance.ledger() == ["manual demo b.json"])
    #expect(run.context.ledger.statistics.triggers.deferred == 1)
    #expect(
      run.log.withLock { $0 }.contains {
        $0.hasPrefix("warning trigger left pending: processes of an earlier job")
      })
  }
}
