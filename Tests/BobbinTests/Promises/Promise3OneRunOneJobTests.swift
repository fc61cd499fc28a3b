import Foundation
import TestSupport
import Testing

@Suite("Promise 3: one run at a time, one job of a channel at a time", .alone)
struct Promise3OneRunOneJobTests {
  @Test("A second run is refused while the first is active")
  func oneRunAtATime() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/hold"] }"#)
    let first = try instance.start("run")
    try instance.started.wait()
    let second = try instance.bobbin("run", "--json")
    #expect(second.status == 75)
    #expect(try second.json["status"] == "busy")
    #expect(second.errorLine(with: " warning busy", "scheduled run", "process \(first.id) ") != nil)
    #expect(try instance.ledger() == ["scheduled demo -"])
    try instance.release.pass()
    #expect(try first.wait().status == 0)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
  }

  @Test("The next run does not start a channel whose job outlived a killed batch")
  func oneJobOfAChannelAtATime() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/hold"] }"#)
    try instance.drop("one.json")
    try instance.killInJob("run", "--spool-only")
    #expect(try !instance.isLocked("scheduler.lock"))
    #expect(try instance.isLocked("channels/1.lock"))
    try instance.drop("two.json")

    let next = try instance.bobbin("run", "--json")
    #expect(try next.json["channels"] == ["total": 1, "succeeded": 0, "failed": 0, "skipped": 1])
    #expect(try next.json["triggers"]["deferred"] == 2)
    #expect(next.errorLine(with: " warning channel skipped", "channel=demo") != nil)
    #expect(try instance.ledger() == ["manual demo one.json"])
    #expect(try instance.pending() == ["two.json"])
    #expect(try instance.claimed().count == 1)

    try instance.release.pass()
    try waitUntil("the orphan has ended") { try !instance.isLocked("channels/1.lock") }
    let last = try instance.start("run", "--spool-only")
    try instance.release.pass(times: 2)
    #expect(try last.wait().status == 0)
    #expect(
      try instance.ledger() == ["manual demo one.json", "manual demo one.json", "manual demo two.json"])
  }

  @Test("A new trigger runs even if an orphan delays an older one of the same name")
  func sameNameAsClaimed() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "held", command: ["handlers/hold"] },
        { id: 2, name: "demo", command: ["handlers/note"] },
        """)
    try instance.drop("please.json", "1")
    try instance.killInJob("run", "--spool-only")
    try instance.drop("please.json", "2")
    let next = try instance.bobbin("run", "--spool-only", "--json")
    #expect(try next.json["triggers"]["succeeded"] == 1)
    #expect(try next.json["triggers"]["deferred"] == 1)
    #expect(try instance.ledger() == ["manual held please.json", "manual demo please.json"])
    try instance.release.pass()
    try waitUntil("the orphan has ended") { try !instance.isLocked("channels/1.lock") }
  }
}
