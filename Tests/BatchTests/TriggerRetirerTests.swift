import Foundation
import History
import Posix
import Spool
import TestSupport
import Testing

@testable import Batch

@Suite("The retirement of triggers", .alone)
struct TriggerRetirerTests {
  private let instance: TestInstance
  private let run: TestRun

  init() throws {
    instance = try TestInstance()
    try instance.drop("a.json")
    run = try TestRun(instance)
  }

  private var name: FileName { FileName("a.json") }

  private func status() throws -> FileStatus {
    try #require(try run.context.store.root.status(of: name))
  }

  @Test("A retired trigger is recorded and moved, and its id is used")
  func retired() throws {
    let result = try run.context.retirer.retire(name, status(), .rejected(RejectReason("a reason")))
    guard case .retired = result else { throw Failure("not retired: \(result)") }
    #expect(try run.outcomes() == ["a.json rejected"])
    #expect(try instance.names("rejected") == ["a.json"])
    #expect(try instance.records(of: "a.json").map { $0["error_message"] } == ["a reason"])
    #expect(run.context.ledger.statistics.triggers.rejected == 1)
    #expect(
      run.log.withLock { $0 }.contains {
        $0.hasPrefix("warning file rejected: a reason trigger=a.json moved_to=")
      })
  }

  @Test("A trigger that has vanished does not use an id")
  func gone() throws {
    let file = try status()
    try instance.directory.remove("spool/a.json")
    let result = try run.context.retirer.retire(name, file, .cancelled(nil, nil))
    guard case .gone = result else { throw Failure("not gone: \(result)") }
    let next = try run.context.ids.next()
    try instance.drop("a.json")
    run.context.ids.giveBack(next)
    _ = try run.context.retirer.retire(name, status(), .cancelled(nil, nil))
    _ = try run.outcomes()
    #expect(try instance.history().map { $0["id"] } == [.number(Double(next))])
  }

  @Test("A file that has replaced the trigger is not retired")
  func replaced() throws {
    let file = try status()
    try instance.directory.remove("spool/a.json")
    try instance.drop("a.json", "\"demo\"\n")
    let result = try run.context.retirer.retire(name, file, .rejected(RejectReason("a reason")))
    guard case .gone = result else { throw Failure("not gone: \(result)") }
    #expect(try instance.pending() == ["a.json"])
    #expect(try run.outcomes() == [])
    #expect(run.context.ledger.statistics.triggers.rejected == 0)
  }

  @Test("A trigger expires with a warning that gives its time and its age")
  func expired() throws {
    try instance.drop("a.json", "1\n", age: .seconds(3_690))
    let inspection = try run.context.inspector.inspect(name, now: .now())
    try run.context.retire(run.context.triage.verdict(on: inspection), name)
    #expect(try run.outcomes() == ["a.json expired"])
    let line = try #require(run.log.withLock { $0 }.first { $0.hasPrefix("warning trigger expired ") })
    #expect(
      line.contains(" timestamp=20") && line.contains(" age=1h1m") && line.contains(" limit=30m "), "\(line)")
  }

  @Test("A file that cannot be moved stays pending, and counts as a fault")
  func immovable() throws {
    try instance.directory.remove("spool/a.json")
    // An id is given out only while there is a history.
    try instance.directory.write("spool/history.jsonl")
    chmod(instance.directory.path, 0o755)
    // Ids are given out only where there is a history.
    run.context.ids.giveBack(try run.context.ids.next())
    chmod(instance.spool, 0o555)
    defer { chmod(instance.spool, 0o755) }
    try instance.drop("a.json")
    let file = try status()
    try asOrdinaryUser {
      let result = try run.context.retirer.retireOrDefer(name, file, .rejected(RejectReason("a reason")))
      guard case .immovable = result else { throw Failure("not immovable: \(result)") }
    }
    #expect(try instance.pending() == ["a.json"])
    #expect(run.context.ledger.hasFaults)
    #expect(run.context.ledger.deferred.pending == [name])
    #expect(
      run.log.withLock { $0 }.contains { $0.hasPrefix("warning trigger left pending: it cannot be moved: ") })
  }
}
