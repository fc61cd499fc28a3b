import Foundation
import Posix
import TestSupport
import Testing

@Suite("The history for people and programs", .alone)
struct HistoryCommandTests {
  static let recordFields = [
    "attempt", "channel", "channel_id", "duration_s", "error_message", "exit_status", "finished_at", "id",
    "kind", "outcome", "requested_at", "run", "signal", "started_at", "trigger", "uid", "user",
    "videos_downloaded", "warnings",
  ]

  @Test("A history record has exactly the documented fields, and the record of a run also has its statistics")
  func recordFields() throws {
    let instance = try TestInstance(channels: StatusCommandTests.channels)
    try instance.drop("a.json", #"{"channel": "bad", "user": "anna"}"#)
    try instance.drop("b.json", "{")
    try instance.configure(channels: StatusCommandTests.channels.replacing("enabled: false", with: ""))
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
    "The history shows the requested records, newest last",
    arguments: [
      ([], [1, 2, 3, 4, 5]), (["--limit", "2"], [4, 5]), (["--limit", "0"], [1, 2, 3, 4, 5]),
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
    // 1 is of demo, 2 and 3 of bad, 4 of the run, 5 was cancelled. The second run found nothing to do.
    let result = try instance.start(["history", "--json"] + options).wait()
    #expect(result.status == 0)
    #expect(try result.jsonLines.map { $0["id"] } == ids.map { .number(Double($0)) })
  }

  @Test(
    "The history of an unknown channel warns, even in quiet mode, and the exit status is still 0",
    arguments: [
      ("dmeo", #"no channel "dmeo" is configured or in the history; did you mean "demo"?"#),
      ("99", #"no channel 99 is configured or in the history"#),
      // A channel that is configured, or that was configured earlier, is not a mistake.
      ("held", nil), ("3", nil), ("former", nil),
    ])
  func historyOfUnknownChannel(channel: String, warning: String?) throws {
    let instance = try TestInstance(channels: #"{ id: 8, name: "former", command: ["handlers/note"] }"#)
    #expect(try instance.bobbin("run").status == 0)
    try instance.configure(channels: StatusCommandTests.channels)
    for options in [[], ["--quiet"], ["--json"], ["--trigger", "none.json"]] {
      let result = try instance.start(["history", "--channel", channel] + options).wait()
      #expect(result.status == 0)
      #expect(result.errorLines.count == (warning == nil ? 0 : 1), "\(result)")
      if let warning { #expect(result.error.hasSuffix(" warning \(warning)\n"), "\(result)") }
    }
  }

  @Test("The history for people is a table")
  func humanHistory() throws {
    let instance = try TestInstance(channels: StatusCommandTests.channels)
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
