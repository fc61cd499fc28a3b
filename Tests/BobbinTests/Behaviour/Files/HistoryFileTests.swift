import Foundation
import Posix
import TestSupport
import Testing

@Suite("The history file", .alone)
struct HistoryKeepingTests {
  private func runOne(_ instance: TestInstance, _ name: String) throws -> JSON {
    try instance.drop(name)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    return try instance.document("done/\(name)")["download_history_id"]
  }

  @Test("The history may be renamed or removed at any time, and ids continue in a new file")
  func rotation() throws {
    let instance = try TestInstance()
    let history = "\(instance.spool)/history.jsonl"
    #expect(try runOne(instance, "a.json") == 1)
    #expect(rename(history, history + ".1") == 0)
    #expect(try runOne(instance, "b.json") == 3)
    #expect(try instance.history().map { $0["id"] } == [3, 4])
    #expect(unlink(history) == 0)
    #expect(unlink(history + ".1") == 0)
    #expect(try runOne(instance, "c.json") == 5)
    #expect(try instance.history().map { $0["run"] } == [3, 3])
  }

  @Test("The commands status, history and log read the rotated history")
  func readAfterRotation() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["true"] }, { id: 2, name: "two", command: ["true"] }"#)
    #expect(try instance.bobbin("run").status == 0)
    try instance.drop("a.json", "2")
    let history = "\(instance.spool)/history.jsonl"
    #expect(rename(history, history + ".1") == 0)
    var status = try instance.bobbin("status", "--json").json
    #expect(status["last_run"]["run"] == 1)
    #expect(status["channels"].elements.map { $0["last"]["id"] } == [1, 2])
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    status = try instance.bobbin("status", "--json").json
    #expect(status["last_run"]["run"] == 2)
    #expect(status["channels"].elements.map { $0["last"]["id"] } == [1, 4])
    func ids(_ limit: String) throws -> [JSON] {
      try instance.bobbin("history", "--json", "--limit", limit).jsonLines.map { $0["id"] }
    }
    #expect(try ids("20") == [1, 2, 3, 4, 5])
    #expect(try ids("3") == [3, 4, 5])
    // The job wrote nothing, so only its record shows that it ran.
    let log = try instance.bobbin("log", "1")
    #expect(log.status == 0)
    #expect(log.errorLine(with: " info the job wrote nothing") != nil)
  }

  @Test("Ids continue after the history and its rotated part when their file is lost")
  func lostCounter() throws {
    let instance = try TestInstance()
    #expect(try runOne(instance, "a.json") == 1)
    #expect(rename("\(instance.spool)/history.jsonl", "\(instance.spool)/history.jsonl.1") == 0)
    #expect(unlink("\(instance.spool)/.history-id") == 0)
    #expect(try runOne(instance, "b.json") == 3)
    #expect(unlink("\(instance.spool)/.history-id") == 0)
    #expect(try runOne(instance, "c.json") == 5)
  }

  @Test("A batch continues in a new history when the history is renamed during its run")
  func rotatedDuringRun() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/hold"] }"#)
    let history = "\(instance.spool)/history.jsonl"
    try instance.drop("a.json")
    try instance.drop("b.json")
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    try instance.release.pass()
    try instance.started.wait()
    try waitUntil("the first job is recorded") { try instance.records(of: "a.json").count == 1 }
    #expect(rename(history, history + ".1") == 0)
    try instance.release.pass()
    #expect(try run.wait().status == 0)
    #expect(try instance.records(of: "a.json") == [])
    #expect(try instance.records(of: "b.json").count == 1)
    #expect(try instance.bobbin("history", "--trigger", "b.json", "--json").jsonLines.count == 1)
  }

  private static let torn = #"{"id":3,"run":2,"kind":"manu"#

  @Test("A torn last line is ended before the next record, counted, and skipped by every reader")
  func tornLine() throws {
    let instance = try TestInstance()
    _ = try runOne(instance, "a.json")
    let whole = try instance.directory.text("spool/history.jsonl")
    try instance.directory.write("spool/history.jsonl", whole + Self.torn)
    // Nobody who only reads takes it for a record, or for an error.
    #expect(try instance.bobbin("history", "--json").jsonLines.count == 2)
    #expect(try instance.bobbin("status").status == 0)

    try instance.drop("b.json")
    let run = try instance.bobbin("run", "--spool-only")
    #expect(run.status == 0)
    #expect(run.errorLine(with: " warning a torn last line") != nil)
    #expect(try instance.directory.text("spool/history.jsonl").hasPrefix(whole + Self.torn + "\n{"))
    let records = try instance.bobbin("history", "--json").jsonLines
    #expect(records.map { $0["kind"] } == ["manual", "run", "manual", "run"])
    #expect(records.map { $0["history_mended"] } == [nil, 0, nil, 1])
    #expect(Set(records.map { $0["id"] }).count == 4)
    #expect(try instance.bobbin("status", "--json").json["last_run"]["run"] == 2)
    // The id of the torn record was given out again, to another job; an id that only a torn line has is not known.
    try instance.directory.write(
      "spool/history.jsonl", instance.directory.text("spool/history.jsonl") + #"{"id":99,"run":2,"ki"# + "\n")
    #expect(try instance.bobbin("log", "99").status == 65)
  }

  @Test("A program that follows the history sees every byte of it once", arguments: ["torn", "whole"])
  func followed(end: String) throws {
    let instance = try TestInstance()
    _ = try runOne(instance, "a.json")
    let history = "\(instance.spool)/history.jsonl"
    let before = try instance.directory.text("spool/history.jsonl") + (end == "torn" ? Self.torn : "")
    try instance.directory.write("spool/history.jsonl", before)
    let follower = try #require(FileHandle(forReadingAtPath: history))
    let seen = try #require(try follower.readToEnd())
    _ = try runOne(instance, "b.json")
    let all = seen + (try follower.readToEnd() ?? Data())
    #expect(all == FileManager.default.contents(atPath: history))
  }

  @Test("A foreign line in the history is skipped")
  func foreignLines() throws {
    let instance = try TestInstance()
    try instance.directory.write("spool/history.jsonl", "hello\n\n{\"id\":\"x\"}\n[]\n{\"id\":9}\n")
    #expect(try instance.bobbin("history", "--json").output == "")
    #expect(try instance.bobbin("status").status == 0)
    _ = try runOne(instance, "a.json")
    #expect(try instance.bobbin("history", "--json").jsonLines.count == 2)
  }

  @Test(
    "A claim that already has a record, even a rotated one, is finished without being run again",
    arguments: ["history.jsonl", "history.jsonl.1"])
  func recordedClaim(history: String) throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/crash"] }"#)
    try instance.handler("crash", "echo \"$BOBBIN_ATTEMPT\" >>../ledger; kill -9 \"$PPID\"")
    try instance.drop("a.json")
    #expect(try instance.bobbin("run", "--spool-only").status == -SIGKILL)
    try waitUntil("the job has ended") { try !instance.isLocked("channels/1.lock") }
    // As if the crash had come after the record instead of before it.
    #expect(unlink("\(instance.spool)/history.jsonl") == 0)
    try instance.directory.write(
      "spool/\(history)",
      #"""
      {"id":1,"run":1,"kind":"manual","channel_id":1,"channel":"demo","trigger":"a.json","user":null,"uid":0,"requested_at":null,"started_at":null,"finished_at":"2026-01-31T10:30:00.000000Z","duration_s":1.000,"attempt":1,"outcome":"succeeded","exit_status":0,"signal":null,"videos_downloaded":4,"error_message":null}

      """#)
    let run = try instance.bobbin("run", "--spool-only")
    #expect(run.status == 0)
    #expect(run.errorLine(with: " info recovered: already recorded", "trigger=a.json") != nil)
    #expect(try instance.ledger() == ["1"])
    #expect(try instance.document("done/a.json")["videos_downloaded"] == 4)
    #expect(try instance.document("done/a.json")["content"] == "1\n")
    #expect(try instance.records(of: "a.json").count == (history == "history.jsonl" ? 1 : 0))
    #expect(try instance.claimed() == [])
  }

  @Test("A trigger that was claimed while it was being written is put back until it is complete")
  func claimBeingWritten() throws {
    let instance = try TestInstance()
    try instance.directory.write("spool/running/0123456789ab-1-77-5/.keep")
    let run: RunningProgram
    do {
      let writer = try Directory(path: "\(instance.spool)/running/0123456789ab-1-77-5")
        .open(FileName("1.1.a.json"), .createNew)
      try writer.write(Array(#"{"channel": "#.utf8))
      run = try instance.start("run", "--spool-only")
      try waitUntil("it is pending") { try instance.pending() == ["a.json"] }
      try writer.write(Array(#""demo"}"#.utf8))
    }
    #expect(try run.wait().status == 0)
    #expect(try instance.claimed() == [])
    #expect(try instance.names("done") == ["a.json"])
    #expect(try instance.records(of: "a.json").map { $0["attempt"] } == [1])
  }

  @Test("A trigger that a dead run was retiring is retired, recorded and counted by the next run")
  func retiredByDeadRun() throws {
    let instance = try TestInstance()
    for claim in ["1.expired.a.json", "2.rejected.b.json", "3.cancelled.c.json"] {
      try instance.directory.write("spool/running/0123456789ab-1-77-5/\(claim)", "{")
    }
    let run = try instance.bobbin("run", "--spool-only", "--json")
    #expect(run.status == 0)
    #expect(try run.json["triggers"]["expired"] == 1)
    #expect(try run.json["triggers"]["rejected"] == 1)
    #expect(
      try instance.names("expired") + instance.names("rejected") + instance.names("cancelled") == [
        "a.json", "b.json", "c.json",
      ])
    #expect(try instance.history().compactMap { $0["trigger"].string } == ["a.json", "b.json", "c.json"])
    #expect(try instance.names("running") == [])
  }
}
