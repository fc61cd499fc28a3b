import Foundation
import TestSupport
import Testing

/// A manual trigger during a scheduled run, which is the purpose of the program.
@Suite("Promise 5: no trigger is stranded", .alone)
struct Promise5NoneStrandedTests {
  private static let channels = """
    { id: 1, name: "first", command: ["handlers/hold"] },
    { id: 2, name: "second", command: ["handlers/note"] },
    """

  @Test(
    "The answer to a trigger during a scheduled run is `queued`, with the documented fields and message")
  func queuedDuringScheduledRun() throws {
    let instance = try TestInstance(channels: Self.channels)
    let run = try instance.start("run")
    try instance.started.wait()

    let answer = try instance.bobbin("trigger", "second", "--json")
    #expect(answer.status == 0)
    let name = try #require(try instance.pending().first)
    #expect(
      answer.output == """
        {"status":"queued","success":null,"videos_downloaded":null,"error_message":null,\
        "download_history_id":null,"message":"Scheduled job in progress. Manual download queued.",\
        "position":1,"trigger":"\(name)"}

        """)
    #expect(try instance.pending() == [name])
    #expect(try instance.ledger() == ["scheduled first -"])

    try instance.release.pass()
    #expect(try run.wait().status == 0)
  }

  @Test("A second trigger has the position after the first")
  func positions() throws {
    let instance = try TestInstance(channels: Self.channels)
    let run = try instance.start("run")
    try instance.started.wait()
    let positions = try (1...3).map { _ in
      try instance.bobbin("trigger", "second", "--json").json["position"]
    }
    #expect(positions == [1, 2, 3])
    try instance.release.pass()
    #expect(try run.wait().status == 0)
  }

  @Test("A queued trigger is executed after all scheduled channels, by the active run")
  func afterScheduledChannels() throws {
    let instance = try TestInstance(channels: Self.channels)
    let run = try instance.start("run", "--json")
    try instance.started.wait()
    let name = try #require(try instance.bobbin("trigger", "second", "--json").json["trigger"].string)
    try instance.release.pass()
    let summary = try run.wait()
    #expect(summary.status == 0)
    #expect(
      try instance.ledger() == ["scheduled first -", "scheduled second -", "manual second \(name)"])
    #expect(try summary.json["channels"] == ["total": 2, "succeeded": 2, "failed": 0, "skipped": 0])
    #expect(try summary.json["triggers"]["succeeded"] == 1)
    #expect(try instance.document("done/\(name)")["success"] == true)
    #expect(try instance.pending() == [])
  }

  @Test("Several triggers run in the byte order of their file names, not in the order of their arrival")
  func fileNameOrder() throws {
    let instance = try TestInstance(channels: Self.channels)
    let run = try instance.start("run")
    try instance.started.wait()
    let names = [
      "b.json", "a.json", "9.json", "10.json", "B.json", "é.json", "a b.json", "a.b.json",
      // These names share a prefix that is longer than a machine word.
      "episode-of-a-season-9.json", "episode-of-a-season-10.json", "episode-of-a-season-1.json",
    ]
    for name in names { try instance.drop(name, "2\n") }
    try instance.release.pass()
    #expect(try run.wait().status == 0)
    #expect(
      try instance.ledger().dropFirst(2) == [
        "manual second 10.json", "manual second 9.json", "manual second B.json", "manual second a b.json",
        "manual second a.b.json", "manual second a.json", "manual second b.json",
        "manual second episode-of-a-season-1.json", "manual second episode-of-a-season-10.json",
        "manual second episode-of-a-season-9.json", "manual second é.json",
      ])
  }

  @Test("A stale trigger is expired, not run, with a warning that gives its time and its age")
  func staleIsExpired() throws {
    let instance = try TestInstance()
    try instance.drop("old.json", age: .seconds(31 * 60 + 5))
    try instance.drop("young.json", age: .seconds(29 * 60))
    let run = try instance.bobbin("run", "--spool-only", "--json")
    #expect(run.status == 0)
    #expect(try run.json["triggers"]["expired"] == 1)
    #expect(try run.json["triggers"]["succeeded"] == 1)
    #expect(try instance.ledger() == ["manual demo young.json"])
    #expect(try instance.directory.text("spool/expired/old.json") == "1\n")

    let record = try #require(try instance.records(of: "old.json").first)
    #expect(record["outcome"] == "expired")
    let requested = try #require(record["requested_at"].string)
    let warning = try #require(run.errorLine(with: " warning trigger expired"))
    // The record has microseconds, and the warning has seconds.
    #expect(warning.contains(" trigger=old.json timestamp=\(requested.prefix(19))Z "))
    // A few seconds may have passed since on a busy machine.
    #expect(warning.contains(#/ age=31m([5-9]|[1-5][0-9])s /#))
    #expect(warning.contains(" limit=30m "))
    #expect(warning.hasSuffix(" moved_to=\(instance.spool)/expired"))
  }

  @Test(
    "The age of a trigger is judged by the time at which the run began")
  func longRunExpiresNothing() throws {
    let instance = try TestInstance(channels: Self.channels, settings: #"expire_after: "1s","#)
    let run = try instance.start("run", "--json")
    try instance.started.wait()
    try instance.drop("late.json", "2\n")
    // The trigger is older than the limit when its turn comes. The test is about its age, so this is a real pause.
    try waitUntil("the trigger is older than expire_after") {
      let queue = try instance.bobbin("queue", "--json").jsonLines
      return (queue.first?["age_s"].number ?? 0) > 1.2
    }
    try instance.release.pass()
    #expect(
      try run.wait().json["triggers"] == [
        "succeeded": 1, "failed": 0, "expired": 0, "rejected": 0, "deferred": 0,
      ])
    #expect(try instance.ledger().last == "manual second late.json")
  }

  @Test(
    "A trigger that is dropped between the last scan and the unlocking is processed by the same command")
  func noneStranded() throws {
    let instance = try TestInstance()
    try instance.drop("early.json")
    let environment = try Preload.environment(in: instance.directory).merging(
      Preload.dropAtUnlock("\(instance.spool)/late.json")
    ) { $1 }
    let run = try instance.bobbin("run", "--spool-only", "--json", environment: environment)
    #expect(run.status == 0)
    #expect(try run.json["triggers"]["succeeded"] == 2)
    #expect(try instance.ledger() == ["manual demo early.json", "manual demo late.json"])
    #expect(try instance.pending() == [])
    // The lock was held twice, so there are two records of runs. The scheduled channels are not run again.
    #expect(try instance.history().filter { $0["kind"] == "run" }.count == 2)
  }
}
