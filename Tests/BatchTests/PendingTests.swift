import Foundation
import Posix
import Spool
import TestSupport
import Testing

@testable import Batch

/// The operations on pending triggers that do not run them, as of a given time.
@Suite("Pending triggers", .alone)
struct PendingTests {
  private func states(_ opened: Instance, at now: Timestamp) throws -> [QueueEntry.State] {
    var states: [QueueEntry.State] = []
    try opened.forEachPending(asOf: now) { states.append($0.state) }
    return states
  }

  private func requestedAt(_ opened: Instance) throws -> Timestamp {
    var timestamp: Timestamp?
    try opened.forEachPending(asOf: .now()) { timestamp = $0.timestamp }
    return try #require(timestamp)
  }

  @Test("A pending trigger is stale when it is older than `expire_after`, not when it is exactly as old")
  func boundary() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let opened = try instance.opened()
    let limit = try requestedAt(opened) + .seconds(30 * 60)
    #expect(try states(opened, at: limit) == [.ready])
    #expect(try states(opened, at: limit + .nanoseconds(1)) == [.stale])
  }

  @Test("A pending trigger does not become stale with `expire_after: 0`")
  func never() throws {
    let instance = try TestInstance(settings: #"expire_after: "0","#)
    try instance.drop("a.json", age: .seconds(1_000 * 86_400))
    #expect(try states(instance.opened(), at: .now()) == [.ready])
  }

  @Test("The command prune expires triggers as of the given time, and records and moves them")
  func prune() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let lines = Monitor<[String]>([])
    let opened = try instance.opened { line in lines.withLock { $0.append(line) } }
    #expect(try opened.prune(now: .now() + .seconds(29 * 60)) == Pruning(expired: 0, left: 0, removed: 0))
    #expect(try opened.prune(now: .now() + .seconds(31 * 60)) == Pruning(expired: 2, left: 0, removed: 0))
    #expect(try instance.names("expired") == ["a.json", "b.json"])
    #expect(try instance.history().map { $0["outcome"] } == ["expired", "expired"])
    #expect(lines.withLock { $0 }.filter { $0.contains(" warning trigger expired ") }.count == 2)
    #expect(try instance.names("running") == [])
  }

  @Test(
    "The command prune judges ages as of the start of an active run, as that run does"
  )
  func pruneDuringRun() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let opened = try instance.opened()
    let began = Timestamp.now()
    switch try SchedulerLock.tryAcquire(
      opened.lockFile(), kind: .scheduled, startedAt: began, owner: opened.owner)
    {
    case .held: Issue.record("the lock was not free")
    case .acquired(let lock):
      #expect(try opened.prune(now: began + .seconds(86_400)).expired == 0)
      #expect(try instance.pending() == ["a.json"])
      try lock.release()
    }
    #expect(try opened.prune(now: began + .seconds(86_400)).expired == 1)
  }

  @Test("The command cancel cancels the pending names and reports the others")
  func cancel() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let opened = try instance.opened()
    let names = ["a.json", "none.json", ".hidden.json", "done", "a.json"].map { FileName($0) }
    #expect(
      try opened.cancel(names) == [.cancelled, .notPending, .notPending, .notPending, .notPending])
    #expect(try instance.pending() == ["b.json"])
    #expect(try opened.cancelAll().count == 1)
    #expect(try opened.cancelAll().count == 0)
    #expect(try instance.history().map { $0["id"] } == [1, 2])
  }

  @Test("An id that is not used for a record is used for the next one")
  func noGaps() throws {
    let instance = try TestInstance()
    let opened = try instance.opened()
    for name in ["a.json", "b.json", "c.json"] { try instance.drop(name) }
    _ = try opened.cancel([FileName("a.json"), FileName("none.json"), FileName("c.json")])
    #expect(try instance.history().map { $0["id"] } == [1, 2])
  }

  @Test(
    "The status counts pending triggers, and identifies a holder by its note",
    arguments: [HolderNote.Kind.scheduled, .manual])
  func status(kind: HolderNote.Kind) throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json", ".c.json", "d.txt"] { try instance.drop(name) }
    let opened = try instance.opened()
    #expect(try opened.status().pending == 2)
    #expect(try !opened.status().isRunning)
    switch try SchedulerLock.tryAcquire(opened.lockFile(), kind: kind, startedAt: .now(), owner: opened.owner)
    {
    case .held: Issue.record("the lock was not free")
    case .acquired(let lock):
      let status = try opened.status()
      #expect(status.isRunning)
      #expect(status.holder?.kind == kind)
      #expect(status.holder?.pid == getpid())
      try lock.release()
    }
    #expect(try !opened.status().isRunning)
  }
}
