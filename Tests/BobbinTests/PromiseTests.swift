import Foundation
import TestSupport
import Testing

/// The nine promises that everything else rests on; 6 to 9 are in `PromiseTests+Trouble.swift`.
@Suite("the promises", .alone)
struct PromiseTests {
  static let finalFolders = ["done", "failed", "expired", "rejected", "cancelled"]

  /// What a run that is killed leaves of a job of the handler `hold`: still running.
  static func killInJob(_ instance: TestInstance, _ arguments: String...) throws {
    let run = try instance.start(arguments)
    try instance.started.wait()
    run.signal(SIGKILL)
    #expect(try run.wait().status == -SIGKILL)
  }

  @Test("promise 1: every file ends in exactly one folder, with one final record")
  func nothingLost() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/note"] },
        { id: 2, name: "bad", command: ["handlers/fail"] },
        { id: 3, name: "off", command: ["handlers/note"], enabled: false },
        """, settings: #"settle: "10ms","#)
    let spool = instance.spool
    try instance.drop("good.json")
    try instance.drop("1.json", "")
    try instance.drop("fails.json", "2")
    try instance.drop("off.json", "")
    try instance.drop("unknown.json", "99")
    try instance.drop("stale.json", age: .seconds(3_600))
    try instance.drop("broken.json", "{")
    try instance.drop("withdrawn.json")
    try instance.drop("linked.json")
    try instance.drop("../elsewhere", "1")
    #expect(symlink("../elsewhere", "\(spool)/link.json") == 0)
    #expect(link("\(spool)/linked.json", "\(spool)/twin.json") == 0)
    #expect(mkfifo("\(spool)/pipe.json", 0o600) == 0)
    #expect(mkdir("\(spool)/folder.json", 0o700) == 0)
    let names = try instance.pending()
    #expect(names.count == 13)

    #expect(try instance.bobbin("cancel", "withdrawn.json").status == 0)
    #expect(try instance.bobbin("run", "--spool-only").status == 1)

    #expect(try instance.pending() == [])
    #expect(try instance.claimed() == [])
    for name in names {
      let places = try Self.finalFolders.filter { try instance.names($0).contains(name) }
      #expect(places.count == 1, "\(name) is in \(places)")
      #expect(try instance.records(of: name).count == 1, "records of \(name)")
    }
    let outcomes = Dictionary(
      uniqueKeysWithValues: try names.map { ($0, try instance.records(of: $0).first?["outcome"].string) })
    #expect(
      outcomes == [
        "good.json": "succeeded", "1.json": "succeeded", "fails.json": "failed", "off.json": "failed",
        "unknown.json": "failed", "stale.json": "expired", "broken.json": "rejected",
        "withdrawn.json": "cancelled", "linked.json": "rejected", "link.json": "rejected",
        "twin.json": "rejected", "pipe.json": "rejected", "folder.json": "rejected",
      ])
    #expect(try instance.directory.text("elsewhere") == "1")
  }

  @Test("promise 2: a job's record is durable before its claim disappears")
  func recordBeforeRemove() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    try instance.drop("b.json", "{")
    let journal = try instance.directory.path("journal")
    let environment = try Preload.environment(in: instance.directory).merging(Preload.journal(journal)) {
      $1
    }
    #expect(try instance.bobbin("run", "--spool-only", environment: environment).status == 0)

    let events = try instance.directory.text("journal").split(separator: "\n").map(String.init)
    func position(of event: String, after start: Int = 0) -> Int? {
      events[start...].firstIndex { $0.hasPrefix(event) }
    }
    /// Where a trigger is claimed, and under what name.
    func claim(_ trigger: String) throws -> (position: Int, name: String) {
      let position = try #require(position(of: "move \(trigger) "))
      return (position, String(events[position].split(separator: " ")[2]))
    }
    let (job, other) = (try claim("a.json"), try claim("b.json"))
    #expect(other.name.contains(".rejected."))
    let record = try #require(position(of: "sync history.jsonl", after: job.position))
    let rejectedRecord = try #require(position(of: "sync history.jsonl", after: other.position))
    let removed = try #require(position(of: "remove \(job.name)"))
    let moved = try #require(position(of: "move \(other.name) b.json"))
    #expect(rejectedRecord < moved, "\(events)")
    #expect(record < removed, "\(events)")
    // And the result is there, durable, when the claim goes.
    let result = try #require(position(of: "sync done", after: record))
    #expect(result < removed, "\(events)")
  }

  @Test("promise 3: a second run is refused while the first lives")
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

  @Test("promise 3: when the batch is killed while a job lives, the next run does not start that channel")
  func oneJobOfAChannelAtATime() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/hold"] }"#)
    try instance.drop("one.json")
    try Self.killInJob(instance, "run", "--spool-only")
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

  @Test("a new trigger has its turn although an orphan keeps an older one of the same name from it")
  func sameNameAsClaimed() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "held", command: ["handlers/hold"] },
        { id: 2, name: "demo", command: ["handlers/note"] },
        """)
    try instance.drop("please.json", "1")
    try Self.killInJob(instance, "run", "--spool-only")
    try instance.drop("please.json", "2")
    let next = try instance.bobbin("run", "--spool-only", "--json")
    #expect(try next.json["triggers"]["succeeded"] == 1)
    #expect(try next.json["triggers"]["deferred"] == 1)
    #expect(try instance.ledger() == ["manual held please.json", "manual demo please.json"])
    try instance.release.pass()
    try waitUntil("the orphan has ended") { try !instance.isLocked("channels/1.lock") }
  }

  @Test("promise 4: a name that sorts first overtakes what is still waiting, within a second")
  func overtaking() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/slow"] }"#)
    // The first job lasts longer than a look into the spool may be old: that second is what is tested.
    try instance.handler(
      "slow",
      """
      echo "$BOBBIN_TRIGGER" >>../ledger
      if [ "$BOBBIN_TRIGGER" = b.json ]; then echo 1 >../spool/a.json; sleep 1; fi
      """)
    for name in ["b.json", "c.json", "d.json"] { try instance.drop(name) }
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == ["b.json", "a.json", "c.json", "d.json"])
  }

  @Test(
    "promise 5: a trigger dropped between the last look and the unlocking is worked off by the same command")
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
    // Two holdings of the lock, so two records of runs; the scheduled channels are not run again.
    #expect(try instance.history().filter { $0["kind"] == "run" }.count == 2)
  }
}
