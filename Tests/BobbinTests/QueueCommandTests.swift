import Foundation
import TestSupport
import Testing

@Suite("bobbin queue, cancel and prune", .alone)
struct QueueCommandTests {
  private static let channels = """
    { id: 1, name: "demo", command: ["handlers/note"] },
    { id: 2, name: "off", command: ["handlers/note"], enabled: false },
    """

  /// One trigger in each state in which one can be pending.
  private func everyState() throws -> TestInstance {
    let instance = try TestInstance(channels: Self.channels, settings: #"settle: "1h","#)
    try instance.drop(
      "a-ready.json", #"{"channel": "demo", "user": "anna", "timestamp": "\#(Self.timestamp(ago: 60))"}"#)
    try instance.drop("b-stale.json", age: .seconds(7_200))
    try instance.drop("c-invalid.json", #"{"channel": 5}"#)
    try instance.drop("d-unknown.json", "99")
    try instance.drop("e-disabled.json", #""off""#)
    // Has two names, as `ln` and `rm` give a file for a moment.
    try instance.drop("f-settling.json")
    #expect(
      link("\(instance.spool)/f-settling.json", "\(instance.spool)/.other-name") == 0)
    return instance
  }

  private static func timestamp(ago seconds: Double) -> String {
    Date.now.addingTimeInterval(-seconds).formatted(.iso8601)
  }

  @Test("lists pending triggers in the order in which they run, with the documented fields and states")
  func json() throws {
    let instance = try everyState()
    let lines = try instance.bobbin("queue", "--json").jsonLines
    try #require(
      lines.map { [$0["position"], $0["trigger"], $0["channel_id"], $0["channel"], $0["state"]] } == [
        [1, "a-ready.json", 1, "demo", "ready"], [2, "b-stale.json", 1, "demo", "stale"],
        [3, "c-invalid.json", nil, nil, "invalid"], [4, "d-unknown.json", nil, nil, "unknown"],
        [5, "e-disabled.json", 2, "off", "unknown"], [6, "f-settling.json", nil, nil, "settling"],
      ])
    for line in lines {
      #expect(
        line.names == [
          "age_s", "channel", "channel_id", "position", "reason", "state", "timestamp", "trigger", "user",
        ])
    }
    #expect(lines[0]["user"] == "anna")
    #expect(lines[0]["reason"] == nil)
    let age = try #require(lines[0]["age_s"].number)
    #expect(age > 58 && age < 80)
    #expect(try instance.ledger() == [])
  }

  @Test("for people prints a table, and says so when nothing is pending")
  func human() throws {
    let instance = try everyState()
    let table = try instance.bobbin("queue").outputLines
    // As wide as the ages are by then: 1m, or 1m2s.
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

  @Test("cancel takes named triggers out, records them, and exits with 65 for one that is not pending")
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

  @Test("cancel goes on after a name that no file can have")
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
    "cancel says what a name is, and where none was found, when it was given something else",
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
    "cancel takes nothing that is no trigger",
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

  @Test("cancel --all takes everything out, whatever it is")
  func cancelAll() throws {
    let instance = try everyState()
    try instance.directory.write("spool/.f", "")
    let result = try instance.bobbin("cancel", "--all", "--json")
    #expect(result.status == 0)
    #expect(try result.json == ["cancelled": 6])
    #expect(try instance.pending() == [])
    #expect(try instance.names("cancelled").count == 6)
    #expect(try instance.bobbin("cancel", "--all").output == "0 cancelled\n")
  }

  @Test("cancel works while a run is on, which then does not run what was cancelled")
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
    // The one that is being run is not pending any more.
    #expect(try instance.bobbin("cancel", "a.json").status == 65)
    try instance.release.pass()
    #expect(try run.wait().status == 0)
    #expect(try instance.ledger() == ["manual held a.json", "manual demo c.json"])
    #expect(try instance.records(of: "b.json").map { $0["outcome"] } == ["cancelled"])
  }

  @Test("prune expires what is stale, with a warning for each, and removes what was kept long enough")
  func prune() throws {
    let instance = try TestInstance()
    try instance.drop("done.json")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    try instance.directory.setAge("spool/done/done.json", .seconds(8 * 86_400))
    try instance.drop("old.json", age: .seconds(3_600))
    try instance.drop("young.json")
    let result = try instance.bobbin("prune", "--json")
    #expect(result.status == 0)
    #expect(try result.json == ["expired": 1, "left": 0, "removed": 1])
    #expect(
      result.errorLine(with: " warning trigger expired", "trigger=old.json", "age=1h ", "moved_to=") != nil)
    #expect(try instance.pending() == ["young.json"])
    #expect(try instance.names("expired") == ["old.json"])
    #expect(try instance.names("done") == [])
    #expect(try instance.records(of: "old.json").map { $0["outcome"] } == ["expired"])
    #expect(try instance.bobbin("prune").output == "0 expired, 0 old files removed\n")
    #expect(try instance.bobbin("prune", "--quiet").output == "")
  }

  @Test("prune exits with 1 when a stale trigger cannot be moved, says what to do, and goes on")
  func pruneImmovable() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name, age: .seconds(3_600)) }
    // In a mount namespace of its own, so that nothing stays mounted, however the test ends.
    let result = try Program(
      "/usr/bin/env",
      [
        "unshare", "--mount", "sh", "-c",
        "mount --bind \"$1\" \"$1\" && exec \"$2\" --config \"$3\" prune --json", "sh",
        "\(instance.spool)/a.json", try Program.bobbin().path, instance.configuration,
      ]
    ).start(outputIn: instance.directory).wait()
    #expect(result.status == 1, "\(result)")
    #expect(try result.json == ["expired": 1, "left": 1, "removed": 0])
    #expect(try instance.names("expired") == ["b.json"])
    #expect(try instance.pending() == ["a.json"])
    #expect(result.errorLine(with: "trigger left pending: it cannot be moved", "trigger=a.json") != nil)
  }
}
