@testable import Batch
import Foundation
import Posix
import Spool
import TestSupport
import Testing

/// What is done to pending triggers without running them, with the moment given.
@Suite("pending triggers", .alone)
struct PendingTests {
  private func states(_ batch: Instance, at moment: Timestamp) throws -> [QueueEntry.State] {
    var states: [QueueEntry.State] = []
    try batch.forEachPending(asOf: moment) { states.append($0.state) }
    return states
  }

  private func requestedAt(_ batch: Instance) throws -> Timestamp {
    var found: Timestamp?
    try batch.forEachPending(asOf: .now()) { found = $0.timestamp }
    return try #require(found)
  }

  @Test("are stale when they are older than `expire_after`, not when they are as old")
  func boundary() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let batch = try instance.batch()
    let limit = try requestedAt(batch) + .seconds(30 * 60)
    #expect(try states(batch, at: limit) == [.ready])
    #expect(try states(batch, at: limit + .nanoseconds(1)) == [.stale])
  }

  @Test("are never stale with `expire_after: 0`")
  func never() throws {
    let instance = try TestInstance(settings: #"expire_after: "0","#)
    try instance.drop("a.json", age: .seconds(1_000 * 86_400))
    #expect(try states(instance.batch(), at: .now()) == [.ready])
  }

  @Test("prune expires them by the given moment, and records and moves them")
  func prune() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let lines = Monitor<[String]>([])
    let batch = try instance.batch { line in lines.withLock { $0.append(line) } }
    #expect(try batch.prune(now: .now() + .seconds(29 * 60)) == (0, 0, 0))
    #expect(try batch.prune(now: .now() + .seconds(31 * 60)) == (2, 0, 0))
    #expect(try instance.names("expired") == ["a.json", "b.json"])
    #expect(try instance.history().map { $0["outcome"] } == ["expired", "expired"])
    #expect(lines.withLock { $0 }.filter { $0.contains(" warning trigger expired ") }.count == 2)
    #expect(try instance.names("running") == [])
  }

  @Test("while a run is on, prune judges their age by the moment that run began, as the run itself does")
  func pruneDuringRun() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let batch = try instance.batch()
    let began = Timestamp.now()
    switch try SchedulerLock.tryAcquire(
      batch.lockFile(), kind: .scheduled, startedAt: began, owner: batch.owner)
    {
    case .held: Issue.record("the lock was not free")
    case .acquired(let lock):
      #expect(try batch.prune(now: began + .seconds(86_400)).expired == 0)
      #expect(try instance.pending() == ["a.json"])
      try lock.release()
    }
    #expect(try batch.prune(now: began + .seconds(86_400)).expired == 1)
  }

  @Test("cancel takes what is there and says what is not")
  func cancel() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let batch = try instance.batch()
    let names = ["a.json", "none.json", ".hidden.json", "done", "a.json"].map { FileName($0) }
    #expect(
      try batch.cancel(names) == [.cancelled, .notPending, .notPending, .notPending, .notPending])
    #expect(try instance.pending() == ["b.json"])
    #expect(try batch.cancelAll().count == 1)
    #expect(try batch.cancelAll().count == 0)
    #expect(try instance.history().map { $0["id"] } == [1, 2])
  }

  @Test("an id that nothing came of is not used up")
  func noGaps() throws {
    let instance = try TestInstance()
    let batch = try instance.batch()
    for name in ["a.json", "b.json", "c.json"] { try instance.drop(name) }
    _ = try batch.cancel([FileName("a.json"), FileName("none.json"), FileName("c.json")])
    #expect(try instance.history().map { $0["id"] } == [1, 2])
  }

  @Test(
    "status counts them, and knows a holder by its note", arguments: [HolderNote.Kind.scheduled, .manual])
  func status(kind: HolderNote.Kind) throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json", ".c.json", "d.txt"] { try instance.drop(name) }
    let batch = try instance.batch()
    #expect(try batch.status().pending == 2)
    #expect(try !batch.status().isRunning)
    switch try SchedulerLock.tryAcquire(batch.lockFile(), kind: kind, startedAt: .now(), owner: batch.owner)
    {
    case .held: Issue.record("the lock was not free")
    case .acquired(let lock):
      let status = try batch.status()
      #expect(status.isRunning)
      #expect(status.holder?.kind == kind)
      #expect(status.holder?.pid == getpid())
      try lock.release()
    }
    #expect(try !batch.status().isRunning)
  }
}
