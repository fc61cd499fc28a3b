import Foundation
import TestSupport
import Testing

@Suite("Cancelled triggers", .alone)
struct CancelCommandTests {
  @Test("The queue for people is a table, or says that nothing is pending")
  func human() throws {
    let instance = try TestInstance.everyState()
    let table = try instance.bobbin("queue").outputLines
    // The column is as wide as the ages are by then: 1m, or 1m2s.
    #expect(table.first?.wholeMatch(of: /POSITION  TRIGGER          CHANNEL  USER  AGE {2,}STATE/) != nil)
    try #require(table.count == 7)
    #expect(table[1].hasPrefix("1         a-ready.json     demo     anna  1m"))
    #expect(table[1].hasSuffix("  ready"))
    #expect(table[6].hasSuffix("  settling: may still be being written"))
    #expect(try instance.bobbin("cancel", "--all").status == 0)
    #expect(try instance.bobbin("queue").output == "no pending triggers\n")
    #expect(try instance.bobbin("queue", "--quiet").output == "")
    #expect(try instance.bobbin("queue", "--json").output == "")
  }

  @Test(
    "The command cancel cancels and records the named triggers, and exits with 65 if one is not pending"
  )
  func cancel() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json", "c.json"] { try instance.drop(name, #"{"channel_id":1,"user":"anna"}"#) }
    let result = try instance.bobbin("cancel", "b.json", "nothing.json", "a.json", "--json")
    #expect(result.status == 65)
    #expect(
      try result.jsonLines == [
        ["trigger": "b.json", "cancelled": true], ["trigger": "nothing.json", "cancelled": false],
        ["trigger": "a.json", "cancelled": true],
      ])
    #expect(try instance.pending() == ["c.json"])
    #expect(try instance.names("cancelled") == ["a.json", "b.json"])
    #expect(try instance.directory.text("spool/cancelled/a.json") == #"{"channel_id":1,"user":"anna"}"#)
    let record = try #require(try instance.records(of: "a.json").first)
    #expect(record["outcome"] == "cancelled")
    #expect(record["channel"] == "demo")
    #expect(record["user"] == "anna")
    #expect(record["run"] == nil)

    let human = try instance.bobbin("cancel", "c.json", "d.json")
    #expect(human.status == 65)
    #expect(human.output == "cancelled c.json\n")
    #expect(human.errorLine(with: " error no such pending trigger", "trigger=d.json") != nil)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == [])
  }

  @Test("The command cancel continues after a name that is too long for a file")
  func cancelLongName() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let long = String(repeating: "x", count: 300) + ".json"
    let result = try instance.bobbin("cancel", "a.json", long, "b.json", "--json")
    #expect(result.status == 65, "\(result)")
    #expect(
      try result.jsonLines == [
        ["trigger": "a.json", "cancelled": true], ["trigger": .string(long), "cancelled": false],
        ["trigger": "b.json", "cancelled": true],
      ])
    #expect(try instance.names("cancelled") == ["a.json", "b.json"])
  }

  @Test(
    "The command cancel says how triggers are named when it was given something else",
    arguments: ["1", "spool/1.json", "2.json"])
  func cancelHint(name: String) throws {
    let instance = try TestInstance()
    try instance.drop("1.json")
    let result = try instance.bobbin("cancel", name)
    #expect(result.status == 65)
    #expect(
      result.errorLine(
        with: "no such pending trigger (a trigger is named by its file name, as bobbin queue shows it)",
        "trigger=\(name)", "spool=\(instance.spool)") != nil, "\(result)")
  }

  @Test(
    "The command cancel does not cancel a file that is not a trigger",
    arguments: ["history.jsonl", ".x.json", "done", "../etc/x.json"])
  func cancelForeign(name: String) throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    try instance.drop(".x.json")
    try instance.directory.write("etc/x.json")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.bobbin("cancel", name).status != 0)
    #expect(instance.directory.exists("spool/\(name)"))
    #expect(try instance.names("cancelled") == [])
  }

  @Test("The option --all cancels everything that is pending")
  func cancelAll() throws {
    let instance = try TestInstance.everyState()
    try instance.directory.write("spool/.f", "")
    let result = try instance.bobbin("cancel", "--all", "--json")
    #expect(result.status == 0)
    #expect(try result.json == ["cancelled": 6])
    #expect(try instance.pending() == [])
    #expect(try instance.names("cancelled").count == 6)
    #expect(try instance.bobbin("cancel", "--all").output == "0 cancelled\n")
  }

  @Test("A trigger that is cancelled during a run is not run")
  func cancelDuringRun() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/note"] },
        { id: 2, name: "held", command: ["handlers/hold"] },
        """)
    try instance.drop("a.json", "2")
    try instance.drop("b.json")
    try instance.drop("c.json")
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    #expect(try instance.bobbin("cancel", "b.json").status == 0)
    // The trigger that is being run is no longer pending.
    #expect(try instance.bobbin("cancel", "a.json").status == 65)
    try instance.release.pass()
    #expect(try run.wait().status == 0)
    #expect(try instance.ledger() == ["manual held a.json", "manual demo c.json"])
    #expect(try instance.records(of: "b.json").map { $0["outcome"] } == ["cancelled"])
  }
}
