import Foundation
import Posix
import TestSupport
import Testing

@Suite("bobbin status and history", .alone)
struct StatusCommandTests {
  private static let channels = """
    { id: 1, name: "demo", command: ["handlers/note"] },
    { id: 2, name: "held", command: ["handlers/hold"] },
    { id: 3, name: "bad", command: ["handlers/fail"], enabled: false },
    """

  static let recordFields = [
    "attempt", "channel", "channel_id", "duration_s", "error_message", "exit_status", "finished_at", "id",
    "kind", "outcome", "requested_at", "run", "signal", "started_at", "trigger", "uid", "user",
    "videos_downloaded",
  ]

  @Test("status of an instance that never ran: idle, nothing known")
  func neverRan() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json")
    let status = try instance.bobbin("status", "--json")
    #expect(status.status == 0)
    #expect(
      try status.json == [
        "state": "idle", "holder": nil, "job": nil, "pending": 1, "abandoned": 0, "last_run": nil,
        "channels": [
          ["id": 1, "name": "demo", "enabled": true, "last": nil],
          ["id": 2, "name": "held", "enabled": true, "last": nil],
          ["id": 3, "name": "bad", "enabled": false, "last": nil],
        ],
      ])
    let human = try instance.bobbin("status").outputLines
    #expect(human.prefix(3) == ["idle", "pending triggers: 1", "last run: none"])
    #expect(human.last?.hasPrefix("3        bad (disabled)  -") == true)
  }

  @Test("status while a job runs: who holds the lock, and what it works on")
  func running() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json", #"{"channel":"held","user":"anna"}"#)
    try instance.drop("b.json")
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    // A job is mentioned once it has lasted a moment.
    try waitUntil("the job is noted") {
      try instance.bobbin("status", "--json").json["job"] != nil
    }
    let status = try instance.bobbin("status", "--json").json
    #expect(status["state"] == "running")
    #expect(status["pending"] == 1)
    #expect(status["holder"].names == ["host", "job", "kind", "owner", "pid", "run", "started_at"])
    #expect(status["holder"]["kind"] == "manual")
    #expect(status["holder"]["pid"] == .number(Double(run.id)))
    #expect(status["holder"]["run"] == 1)
    #expect(status["job"].names == ["channel", "id", "started_at", "trigger"])
    #expect(status["job"]["channel"] == "held")
    #expect(status["job"]["trigger"] == "a.json")
    let human = try instance.bobbin("status").output
    #expect(human.hasPrefix("running: manual run (process \(run.id) on "))
    #expect(human.contains("channel held, trigger a.json, since "))
    try instance.release.pass()
    #expect(try run.wait().status == 0)

    let after = try instance.bobbin("status", "--json").json
    #expect(after["state"] == "idle")
    #expect(after["holder"] == nil)
    #expect(after["last_run"]["outcome"] == "succeeded")
    #expect(after["channels"].elements.map { $0["last"]["outcome"] } == ["succeeded", "succeeded", nil])
  }

  @Test(
    "status knows the last job of every channel, also when one that ran was taken out of the configuration")
  func formerChannel() throws {
    let channels = (1...3).map { #"{ id: \#($0), name: "c\#($0)", command: ["true"] }"# }
    let instance = try TestInstance(channels: channels.joined(separator: ", "))
    #expect(try instance.bobbin("run").status == 0)
    try instance.configure(channels: channels.prefix(2).joined(separator: ", "))
    let status = try instance.bobbin("status", "--json").json
    #expect(status["channels"].elements.map { $0["last"]["id"] } == [1, 2])
  }

  @Test("status does not take the note of a dead run for a run that is on")
  func deadHolder() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json", "2")
    try PromiseTests.killInJob(instance, "run", "--spool-only")
    #expect(try instance.bobbin("status", "--json").json["state"] == "idle")
  }

  @Test("status tells of the triggers that a killed run left, until a run has recovered them")
  func leftByKilledRun() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json", "2")
    try PromiseTests.killInJob(instance, "run", "--spool-only")
    let status = try instance.bobbin("status", "--json").json
    #expect(status["abandoned"] == 1)
    #expect(status["pending"] == 0)
    let line = "left by a killed process: 1 trigger; the next run recovers it"
    #expect(try instance.bobbin("status").outputLines.contains(line))

    try instance.release.pass()
    try waitUntil("the orphan has ended") { try !instance.isLocked("channels/2.lock") }
    let next = try instance.start("run", "--spool-only")
    try instance.started.wait()
    #expect(try !instance.bobbin("status").output.contains("killed process"))
    try instance.release.pass()
    #expect(try next.wait().status == 0)
    #expect(try instance.bobbin("status", "--json").json["abandoned"] == 0)
  }

  @Test("status, while somebody holds the lock, leaves open which run recovers what a killed one left")
  func leftWhileLocked() throws {
    let instance = try TestInstance(channels: Self.channels)
    for name in ["5.1.a.json", "6.expired.b.json"] {
      // Of a process before the machine was started last.
      try instance.directory.write("spool/running/0123456789ab-1-77-5/\(name)", "2")
    }
    let lock = try Directory(path: instance.spool).lock("scheduler.lock")
    let lines = try instance.bobbin("status").outputLines
    #expect(
      lines.contains("left by a killed process: 2 triggers; the run that is on, or the next, recovers them"))
    #expect(try lock.isStillInPlace())
  }

  @Test("a history record has exactly the documented fields; that of a run its statistics besides")
  func recordFields() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json", #"{"channel": "bad", "user": "anna"}"#)
    try instance.drop("b.json", "{")
    try instance.configure(channels: Self.channels.replacing("enabled: false", with: ""))
    #expect(try instance.bobbin("run", "--spool-only").status == 1)
    let records = try instance.history()
    try #require(records.map { $0["kind"] } == ["manual", "manual", "run"])
    for record in records.prefix(2) { #expect(record.names == Self.recordFields) }
    #expect(records[2].names == (Self.recordFields + ["channels", "triggers", "history_mended"]).sorted())
    let job = try #require(records.first { $0["trigger"] == "a.json" })
    #expect(job["outcome"] == "failed")
    #expect(job["exit_status"] == 3)
    #expect(job["signal"] == nil)
    #expect(job["attempt"] == 1)
    #expect(job["run"] == 1)
    #expect(job["user"] == "anna")
    #expect(job["uid"] == .number(Double(geteuid())))
    #expect(job["channel_id"] == 3)
    for time in ["requested_at", "started_at", "finished_at"] {
      let text = try #require(job[time].string)
      #expect(text.wholeMatch(of: /[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z/) != nil, "\(time) \(text)")
    }
  }

  @Test(
    "history shows the records that are asked for, newest last",
    arguments: [
      ([], [1, 2, 3, 4, 5, 6]), (["--limit", "2"], [5, 6]), (["--limit", "0"], [1, 2, 3, 4, 5, 6]),
      (["--channel", "demo"], [1]), (["--channel", "1", "--limit", "1"], [1]),
      (["--channel", "3"], [2, 3]),
      (["--trigger", "b.json"], [3]), (["--trigger", "none.json"], []),
    ])
  func history(options: [String], ids: [Int]) throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/note"] },
        { id: 3, name: "bad", command: ["handlers/fail"] },
        """)
    try instance.drop("a.json", "3")
    try instance.drop("b.json", "3")
    try instance.drop("0.json", "1")
    #expect(try instance.bobbin("run", "--spool-only").status == 1)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    try instance.drop("c.json", "{")
    #expect(try instance.bobbin("cancel", "--all").status == 0)
    // 1 is of demo, 2 and 3 of bad, 4 and 5 of runs, 6 was cancelled.
    let result = try instance.start(["history", "--json"] + options).wait()
    #expect(result.status == 0)
    #expect(try result.jsonLines.map { $0["id"] } == ids.map { .number(Double($0)) })
  }

  @Test(
    "history of a channel that is nowhere says so, also when quiet; the exit status stays",
    arguments: [
      ("dmeo", #"no channel "dmeo" is configured or in the history; did you mean "demo"?"#),
      ("99", #"no channel 99 is configured or in the history"#),
      // Configured, or known from before it was taken out of the configuration: no mistake.
      ("held", nil), ("3", nil), ("former", nil),
    ])
  func historyOfUnknownChannel(channel: String, warning: String?) throws {
    let instance = try TestInstance(channels: #"{ id: 8, name: "former", command: ["handlers/note"] }"#)
    #expect(try instance.bobbin("run").status == 0)
    try instance.configure(channels: Self.channels)
    for options in [[], ["--quiet"], ["--json"], ["--trigger", "none.json"]] {
      let result = try instance.start(["history", "--channel", channel] + options).wait()
      #expect(result.status == 0)
      #expect(result.errorLines.count == (warning == nil ? 0 : 1), "\(result)")
      if let warning { #expect(result.error.hasSuffix(" warning \(warning)\n"), "\(result)") }
    }
  }

  @Test("history for people is a table")
  func humanHistory() throws {
    let instance = try TestInstance(channels: Self.channels)
    #expect(try instance.bobbin("history").output == "no records\n")
    try instance.drop("a.json")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    let lines = try instance.bobbin("history").outputLines
    try #require(lines.count == 3)
    #expect(
      lines[0].hasPrefix("ID  FINISHED              KIND    CHANNEL  OUTCOME    VIDEOS  DURATION  TRIGGER"))
    #expect(lines[1].hasPrefix("1   2"))
    #expect(lines[1].contains("  manual  demo     succeeded  1       "))
  }
}
