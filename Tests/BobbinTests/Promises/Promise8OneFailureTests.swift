import Foundation
import TestSupport
import Testing

@Suite("Promise 8: one failure stops nothing", .alone)
struct Promise8OneFailureTests {
  @Test("A scheduled job that kills the batch each time does not keep other jobs from running")
  func deadlySchedule() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "deadly", command: ["handlers/deadly"] },
        { id: 2, name: "good", command: ["handlers/good"] },
        """)
    try instance.handler("deadly", "echo deadly >>../ledger; kill -9 \"$PPID\"")
    try instance.handler("good", "echo \"good $BOBBIN_KIND\" >>../ledger")
    try instance.drop("a.json", "2")
    for _ in 1...2 {
      #expect(try instance.bobbin("run").status == -SIGKILL)
      try waitUntil("the job has ended") { try !instance.isLocked("channels/1.lock") }
    }
    #expect(try instance.ledger() == ["deadly", "good scheduled", "good manual", "deadly"])
    #expect(try instance.document("done/a.json")["success"] == true)

    try instance.handler("deadly", "echo repaired >>../ledger")
    let last = try instance.bobbin("run")
    #expect(last.status == 0)
    #expect(last.errorLine(with: " warning recovered", "channel=deadly") != nil)
    #expect(try instance.ledger().suffix(2) == ["good scheduled", "repaired"])
    let deadly = try instance.history().filter { $0["channel"] == "deadly" }
    #expect(deadly.map { $0["outcome"] } == ["interrupted", "interrupted", "succeeded"])
    #expect(Set(deadly.compactMap { $0["id"].number }).count == 3)
    // The batch was not killed in this channel again, so the order is the configuration's again.
    #expect(try instance.bobbin("run").status == 0)
    #expect(try instance.ledger().suffix(2) == ["repaired", "good scheduled"])
  }

  @Test(
    "A failing job, a missing program, a bad file and an unwritable log only change the exit status"
  )
  func oneFailureStopsNothing() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "bad", command: ["handlers/fail"] },
        { id: 2, name: "gone", command: ["handlers/no-such"] },
        { id: 3, name: "good", command: ["handlers/note"] },
        """)
    // Not even root can write these logs, because directories have their names.
    for id in 1...9 { _ = try instance.directory.path("spool/logs/\(id).log/x") }
    try instance.drop("a.json", "not a trigger")
    try instance.drop("b.json", "1")
    try instance.drop("c.json", "2")
    try instance.drop("d.json", "77")
    try instance.drop("e.json", "3")
    let run = try instance.bobbin("run", "--json")
    #expect(run.status == 1)
    #expect(try run.json["channels"] == ["total": 3, "succeeded": 1, "failed": 2, "skipped": 0])
    #expect(
      try run.json["triggers"] == [
        "succeeded": 1, "failed": 3, "expired": 0, "rejected": 1, "deferred": 0,
      ])
    #expect(
      try instance.ledger() == [
        "scheduled bad -", "scheduled good -", "manual bad b.json", "manual good e.json",
      ])
    #expect(run.errorLine(with: " warning job log not written") != nil)
    #expect(try instance.names("done") == ["e.json"])
    #expect(try instance.names("failed") == ["b.json", "c.json", "d.json"])
    #expect(try instance.names("rejected") == ["a.json"])
  }
}
