import Foundation
import TestSupport
import Testing

@Suite("Promise 2: record before remove", .alone)
struct Promise2RecordBeforeRemoveTests {
  @Test("A job's record is durable before its claim disappears")
  func recordBeforeRemove() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    try instance.drop("b.json", "{")
    let journal = try instance.directory.path("journal")
    let environment = try Preload.environment(in: instance.directory).merging(Preload.journal(journal)) {
      $1
    }
    #expect(try instance.bobbin("run", "--spool-only", environment: environment).status == 0)

    let events = try instance.directory.text("journal").split(separator: "\n").map(String.init)
    func position(of event: String, after start: Int = 0) -> Int? {
      events[start...].firstIndex { $0.hasPrefix(event) }
    }
    /// The position of a trigger's claim in the journal, and its name.
    func claim(_ trigger: String) throws -> (position: Int, name: String) {
      let position = try #require(position(of: "move \(trigger) "))
      return (position, String(events[position].split(separator: " ")[2]))
    }
    let (job, other) = (try claim("a.json"), try claim("b.json"))
    #expect(other.name.contains(".rejected."))
    let record = try #require(position(of: "sync history.jsonl", after: job.position))
    let rejectedRecord = try #require(position(of: "sync history.jsonl", after: other.position))
    let removed = try #require(position(of: "remove \(job.name)"))
    let moved = try #require(position(of: "move \(other.name) b.json"))
    #expect(rejectedRecord < moved, "\(events)")
    #expect(record < removed, "\(events)")
    // The result is also durable before the claim is removed.
    let result = try #require(position(of: "sync done", after: record))
    #expect(result < removed, "\(events)")
  }
}
