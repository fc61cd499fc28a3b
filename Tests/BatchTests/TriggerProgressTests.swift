import Batch
import Foundation
import History
import Posix
import TestSupport
import Testing

@Suite("The progress of a trigger", .alone)
struct TriggerProgressTests {
  private static let trigger = FileName("a.json")

  private static func record(_ outcome: String, of trigger: String = "a.json", more: String = "") -> String {
    """
    {"id":1,"run":1,"kind":"manual","trigger":"\(trigger)","finished_at":"2026-01-31T10:30:00Z",\
    "outcome":"\(outcome)"\(more)}

    """
  }

  private func progress(_ instance: TestInstance) throws -> String {
    let since = try #require(Timestamp(rfc3339: "2026-01-31T10:30:00Z"))
    switch try instance.opened().progress(of: Self.trigger, since: since) {
    case .pending: return "pending"
    case .claimed: return "claimed"
    case .unreadable: return "unreadable"
    case .done(let record): return record.outcome.rawValue
    }
  }

  @Test("A trigger is pending while its file exists, whatever the history says")
  func pending() throws {
    let instance = try TestInstance()
    try instance.directory.write("spool/history.jsonl", Self.record("succeeded"))
    try instance.drop("a.json")
    #expect(try progress(instance) == "pending")
  }

  @Test(
    "A trigger is done when it has a record",
    arguments: ["succeeded", "failed", "cancelled", "interrupted"])
  func done(outcome: String) throws {
    let instance = try TestInstance()
    try instance.directory.write(
      "spool/history.jsonl", Self.record(outcome) + Self.record("failed", of: "b.json"))
    #expect(try progress(instance) == outcome)
  }

  @Test("A trigger is done when its record was rotated away meanwhile")
  func rotated() throws {
    let instance = try TestInstance()
    try instance.directory.write("spool/history.jsonl.1", Self.record("succeeded"))
    #expect(try progress(instance) == "succeeded")
  }

  @Test("A trigger is claimed while its last record says that it was put back, and it is claimed again")
  func requeued() throws {
    let instance = try TestInstance()
    try instance.directory.write(
      "spool/history.jsonl", Self.record("interrupted", more: #","requeued":true"#))
    #expect(try progress(instance) == "claimed")
  }

  @Test("A trigger is claimed when it has neither a record nor a history")
  func claimed() throws { #expect(try progress(try TestInstance()) == "claimed") }

  @Test(
    "A trigger is unreadable for a user who may not read the history", arguments: ["drop box", "history"])
  func unreadable(what: String) throws {
    let instance = try TestInstance()
    try instance.directory.write("spool/history.jsonl", Self.record("succeeded"))
    chmod(instance.directory.path, 0o755)
    let path = what == "drop box" ? instance.spool : "\(instance.spool)/history.jsonl"
    chmod(path, what == "drop box" ? 0o333 : 0)
    defer { chmod(path, 0o755) }
    #expect(try asOrdinaryUser { try progress(instance) } == "unreadable")
  }
}
