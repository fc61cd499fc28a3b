import Foundation
import Posix
import TestSupport
import Testing

@Suite("A run", .alone)
struct RunCommandTests {
  @Test("The option --json prints one document with exactly the documented fields")
  func json() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let run = try instance.bobbin("run", "--json")
    #expect(run.status == 0)
    #expect(run.outputLines.count == 1)
    let summary = try run.json
    #expect(
      summary.names == ["channels", "duration_s", "run", "status", "triggers", "videos_downloaded"])
    #expect(summary["status"] == "completed")
    #expect(summary["run"] == 1)
    #expect(summary["channels"] == ["total": 1, "succeeded": 1, "failed": 0, "skipped": 0])
    #expect(
      summary["triggers"] == ["succeeded": 1, "failed": 0, "expired": 0, "rejected": 0, "deferred": 0])
    #expect(summary["videos_downloaded"] == 2)
    let duration = try #require(summary["duration_s"].number)
    #expect(duration >= 0 && duration < 20)
  }

  @Test("A run prints one line for people, and nothing with --quiet if all jobs succeed")
  func human() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let run = try instance.bobbin("run")
    #expect(
      run.output.wholeMatch(
        of:
          /run 1 completed in [0-9]+m?s; channels: 1 succeeded; triggers: 1 succeeded; videos downloaded: 2\n/
      )
        != nil, "\(run.output)")
    let empty = try instance.bobbin("run", "--spool-only")
    #expect(empty.output.contains("nothing to do; channels: none; triggers: none; videos downloaded: 0"))
    let quiet = try instance.bobbin("run", "--quiet")
    #expect(quiet.output == "" && quiet.error == "" && quiet.status == 0)
  }

  @Test("The option --quiet does not suppress warnings and errors")
  func quietLeavesErrors() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "bad", command: ["handlers/fail"] }"#)
    try instance.drop("a.json", "{")
    let run = try instance.bobbin("--quiet", "run")
    #expect(run.status == 1)
    #expect(run.output == "")
    #expect(run.errorLines.count == 2)
    #expect(run.errorLine(with: " warning file rejected", "trigger=a.json") != nil)
    #expect(run.errorLine(with: " error job ended", "channel=bad", "no such video") != nil)
  }

  @Test(
    "A run drains the spool even if no channel is enabled or configured",
    arguments: [
      #"{ id: 1, name: "off", command: ["handlers/note"], enabled: false }"#, "",
    ])
  func drainsWithoutChannels(channels: String) throws {
    let instance = try TestInstance(channels: channels)
    try instance.drop("a.json", "{")
    try instance.drop("b.json", age: .seconds(3_600))
    let summary = try instance.bobbin("run", "--json").json
    #expect(summary["channels"]["total"] == 0)
    #expect(summary["triggers"]["rejected"] == 1)
    #expect(summary["triggers"]["expired"] == 1)
    #expect(try instance.pending() == [])
  }

  @Test("The option --spool-only leaves the scheduled channels out")
  func spoolOnly() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let run = try instance.bobbin("run", "--spool-only", "--json")
    #expect(try run.json["channels"]["total"] == 0)
    #expect(try instance.ledger() == ["manual demo a.json"])
  }

  @Test("A scheduled run waits for a manual run, so that a manual trigger does not cost a scheduled run")
  func waitsForManualRun() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/note"] },
        { id: 2, name: "held", command: ["handlers/hold"], enabled: true },
        """)
    let manual = try instance.start("trigger", "held")
    try instance.started.wait()
    let busy = try instance.bobbin("run", "--wait", "50ms", "--json")
    #expect(busy.status == 75)
    #expect(try busy.json["status"] == "busy")
    #expect(try busy.json["holder"]["kind"] == "manual")
    #expect(busy.errorLine(with: " warning busy", "manual run") != nil)

    let waiting = try instance.start("run", "--wait", "20s", "--json")
    try instance.release.pass(times: 2)
    let summary = try waiting.wait()
    #expect(summary.status == 0)
    #expect(try summary.json["channels"]["succeeded"] == 2)
    #expect(try manual.wait().status == 0)
  }

  @Test("A run waits for a scheduled run when it is told to wait, and not otherwise")
  func waitsForScheduledRun() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/hold"] }"#)
    let first = try instance.start("run")
    try instance.started.wait()
    #expect(try instance.bobbin("run", within: .seconds(10)).status == 75)
    #expect(try instance.bobbin("run", "--wait", "50ms").status == 75)
    let waiting = try instance.start("run", "--spool-only", "--wait", "20s", "--json")
    try waiting.waitForPolls(3)
    try instance.release.pass()
    #expect(try first.wait().status == 0)
    let summary = try waiting.wait()
    #expect(summary.status == 0, "\(summary)")
    #expect(try summary.json["status"] == "completed")
  }

  @Test("A run that is told to wait waits for a script's flock(1) as well")
  func waitsForScript() throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    let waiting: RunningProgram
    do {
      let lock = try Directory(path: instance.spool).lock("scheduler.lock")
      #expect(try instance.bobbin("run", "--wait", "50ms").status == 75)
      waiting = try instance.start("run", "--wait", "20s")
      try waiting.waitForPolls(20)
      _ = lock.file.number
    }
    #expect(try waiting.wait().status == 0)
  }

  @Test("A run executes a job for each trigger, and writes the result under the trigger's name")
  func results() throws {
    let instance = try TestInstance()
    try instance.drop("a.json", #"{"channel_id": 1, "user": "anna", "timestamp": "2125-10-05T10:30:00Z"}"#)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    let document = try instance.document("done/a.json")
    #expect(
      document.names == [
        "content", "download_history_id", "error_message", "message", "position", "record", "status",
        "success", "trigger", "videos_downloaded",
      ])
    #expect(document["content"] == #"{"channel_id": 1, "user": "anna", "timestamp": "2125-10-05T10:30:00Z"}"#)
    #expect(document["record"] == (try instance.records(of: "a.json").first ?? nil))
    // The trigger's timestamp is in the future, so the file's change time counts instead.
    let requested = try #require(document["record"]["requested_at"].string)
    #expect(!requested.hasPrefix("2125"))
  }

  @Test("A newer result replaces an older one of the same name, and the history keeps both")
  func newestResult() throws {
    let instance = try TestInstance()
    for _ in 1...2 {
      try instance.drop("a.json")
      #expect(try instance.bobbin("run", "--spool-only").status == 0)
    }
    #expect(try instance.names("done") == ["a.json"])
    let ids = try instance.records(of: "a.json").map { $0["id"] }
    try #require(ids.count == 2)
    #expect(try instance.document("done/a.json")["download_history_id"] == ids[1])
  }

  @Test("A name that is taken in rejected, expired or cancelled gets .2, .3 and so on")
  func suffixes() throws {
    let instance = try TestInstance()
    for _ in 1...3 {
      try instance.drop("r.json", "{")
      try instance.drop("e.json", age: .seconds(3_600))
      try instance.drop("c.json")
      #expect(try instance.bobbin("cancel", "c.json").status == 0)
      #expect(try instance.bobbin("run", "--spool-only").status == 0)
    }
    for (folder, letter) in [("rejected", "r"), ("expired", "e"), ("cancelled", "c")] {
      #expect(
        try instance.names(folder) == ["\(letter).json", "\(letter).json.2", "\(letter).json.3"])
    }
    #expect(try instance.records(of: "r.json").count == 3)
  }

  @Test(
    "A run removes only results and logs that are older than keep_results",
    arguments: [["run"], ["run", "--spool-only"], ["watch", "--every", "20ms"]])
  func keepResults(by arguments: [String]) throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/fail"] }"#, settings: #"keep_results: "2d","#)
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    #expect(try instance.bobbin("run", "--spool-only").status == 1)
    #expect(try instance.names("logs") == ["1.log", "2.log"])
    try instance.directory.setAge("spool/failed/a.json", .seconds(49 * 3_600))
    try instance.directory.setAge("spool/failed/b.json", .seconds(47 * 3_600))
    try instance.directory.setAge("spool/logs/1.log", .seconds(49 * 3_600))
    try instance.directory.setAge("spool/logs/2.log", .seconds(47 * 3_600))
    try instance.directory.write("spool/.bobbin-torn", "", age: .seconds(37 * 3_600))
    try instance.directory.write("spool/.bobbin-new", "", age: .seconds(35 * 3_600))
    try instance.drop("c.json", "99")
    let program = try instance.start(arguments)
    try waitUntil("old results are removed") { try !instance.names("failed").contains("a.json") }
    if arguments.contains("watch") { program.signal(SIGTERM) }
    _ = try program.wait()
    #expect(try instance.names("failed") == ["b.json", "c.json"])
    #expect(try instance.names("logs").contains("2.log"))
    #expect(try !instance.names("logs").contains("1.log"))
    #expect(!instance.directory.exists("spool/.bobbin-torn"))
    #expect(instance.directory.exists("spool/.bobbin-new"))
  }
}
