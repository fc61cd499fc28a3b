import Foundation
import TestSupport
import Testing

@Suite("Pending triggers", .alone)
struct QueueCommandTests {
  @Test(
    "The queue has pending triggers in the order in which they run, with the documented fields and states")
  func json() throws {
    let instance = try TestInstance.everyState()
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

  /// An instance with what is nearly a trigger, and what only looks so.
  private func almostTriggers() throws -> TestInstance {
    let instance = try TestInstance(channels: #"{ id: 7, name: "cats", command: ["handlers/note"] }"#)
    for name in [
      "1.json", "7", "anna/cats.json", "anna/notes.txt", "berta/cats.txt", "cats.JSON", "cats.json.txt",
      "it's.JSON", "notes.txt", ".hidden.JSON", "done/old.json", "history.jsonl", "README.md",
    ] { try instance.drop(name, "7\n") }
    return instance
  }

  @Test(
    "What is nearly a trigger is named on standard error, with what to do; the list itself is as documented")
  func almost() throws {
    let instance = try almostTriggers()
    for arguments in [["queue", "--json"], ["queue", "--json", "--quiet"]] {
      let queue = try instance.start(arguments).wait()
      #expect(queue.status == 0)
      #expect(try queue.jsonLines.map { $0["trigger"] } == ["1.json"])
      let named = queue.errorLines.compactMap { $0.firstMatch(of: #/ path=("?)(.*?)\1 remedy=/#)?.2 }
      #expect(
        named.map { $0.replacing("\(instance.spool)/", with: "") } == [
          "7", "anna", "cats.JSON", "cats.json.txt", "it's.JSON",
        ], "\(queue)")
    }
  }

  @Test("The check names what is nearly a trigger as a warning, and its remedy makes it a trigger")
  func almostInCheck() throws {
    let instance = try almostTriggers()
    let check = try instance.bobbin("check", "--json")
    #expect(check.status == 0, "\(check)")
    #expect(try check.json["status"] == "ok")
    let warnings = try check.json["warnings"].elements.filter { $0["kind"] == "warning" }
    #expect(warnings.count == 5)
    for (problem, name) in zip(warnings, ["7.json", "cats.json", "cats.json", "cats.json", "it's.json"]) {
      let remedy = try #require(problem["remedy"].string)
      let done = try Program("/bin/sh", ["-c", remedy]).start(outputIn: instance.directory).wait()
      #expect(done.status == 0, "\(done)")
      #expect(instance.directory.exists("spool/\(name)"))
      if name == "cats.json" { try instance.directory.remove("spool/cats.json") }
    }
  }

  @Test("The command prune exits with 1 when a stale trigger cannot be moved, says what to do, and goes on")
  func pruneImmovable() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name, age: .seconds(3_600)) }
    // In a separate mount namespace, so that nothing stays mounted, even if the test fails.
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
