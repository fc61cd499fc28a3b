import Foundation
import TestSupport
import Testing

extension PromiseTests {
  /// A handler that kills its batch as SIGKILL does, in the given attempts.
  private static func makeCrash(_ instance: TestInstance, attempts: String) throws {
    try instance.handler(
      "crash",
      """
      echo "$BOBBIN_TRIGGER $BOBBIN_ATTEMPT" >>../ledger
      case $BOBBIN_ATTEMPT in \(attempts)) kill -9 "$PPID" ;; esac
      """)
  }

  /// Runs until the batch is killed by its own job, and until that job is gone.
  private static func crash(_ instance: TestInstance) throws {
    #expect(try instance.bobbin("run", "--spool-only").status == -SIGKILL)
    try waitUntil("the job has ended") { try !instance.isLocked("channels/1.lock") }
  }

  @Test("promise 6: after a crash the next run finishes what was claimed, as the next attempt")
  func crashCostsARepetition() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/crash"] }"#)
    try Self.makeCrash(instance, attempts: "1")
    try instance.drop("a.json")
    try Self.crash(instance)
    #expect(try instance.pending() == [])
    #expect(try instance.records(of: "a.json") == [])

    let next = try instance.bobbin("run", "--spool-only", "--json")
    #expect(next.status == 0)
    #expect(next.errorLine(with: " warning recovered", "trigger=a.json", "attempt=1") != nil)
    #expect(try instance.ledger() == ["a.json 1", "a.json 2"])
    let records = try instance.records(of: "a.json")
    #expect(records.count == 1)
    #expect(records.first?["outcome"] == "succeeded")
    #expect(records.first?["attempt"] == 2)
    #expect(try instance.claimed() == [])
    #expect(try instance.names("running") == [])
  }

  @Test("promise 6: a job that is cut short `max_attempts` times is failed as interrupted")
  func attemptsEnd() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/crash"] }"#, settings: "max_attempts: 2,")
    try Self.makeCrash(instance, attempts: "*")
    try instance.drop("a.json")
    try instance.drop("b.json", "99")
    try Self.crash(instance)
    try Self.crash(instance)
    // The second attempt comes before b, and the third that would come is not begun.
    let last = try instance.bobbin("run", "--spool-only", "--json")
    #expect(last.status == 1)
    #expect(try last.json["triggers"]["failed"] == 2)
    #expect(try instance.ledger() == ["a.json 1", "a.json 2"])
    let record = try #require(try instance.records(of: "a.json").first)
    #expect(record["outcome"] == "interrupted")
    #expect(record["attempt"] == 2)
    #expect(try instance.document("failed/a.json")["success"] == false)
    #expect(try instance.names("failed") == ["a.json", "b.json"])
  }

  @Test("promise 6: a channel with `rerun: false` is never run again")
  func rerunFalse() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/crash"], rerun: false }"#)
    try Self.makeCrash(instance, attempts: "*")
    try instance.drop("a.json")
    try Self.crash(instance)
    let next = try instance.bobbin("run", "--spool-only")
    #expect(next.status == 1)
    #expect(try instance.ledger() == ["a.json 1"])
    let records = try instance.records(of: "a.json")
    #expect(records.map { $0["outcome"] } == ["interrupted"])
    #expect(records.first?["error_message"].string?.contains("rerun") == true)
    #expect(try instance.names("failed") == ["a.json"])
  }

  @Test("promise 8: a scheduled job that kills the batch each time keeps nothing else from its turn")
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

    try instance.handler("deadly", "echo mended >>../ledger")
    let last = try instance.bobbin("run")
    #expect(last.status == 0)
    #expect(last.errorLine(with: " warning recovered", "channel=deadly") != nil)
    #expect(try instance.ledger().suffix(2) == ["good scheduled", "mended"])
    let deadly = try instance.history().filter { $0["channel"] == "deadly" }
    #expect(deadly.map { $0["outcome"] } == ["interrupted", "interrupted", "succeeded"])
    #expect(Set(deadly.compactMap { $0["id"].number }).count == 3)
    // It has been killed in it no more, so the order is the configuration's again.
    #expect(try instance.bobbin("run").status == 0)
    #expect(try instance.ledger().suffix(2) == ["mended", "good scheduled"])
  }

  @Test("promise 7: a trigger chooses a channel and nothing else; nothing goes through a shell")
  func nothingButAChannel() throws {
    let instance = try TestInstance(
      channels: #"""
        { id: 1, name: "demo", url: "feed;touch ../../pwned", limit: 7,
          command: ["handlers/show", "$(touch ../pwned)", "{url}", "a b", "", "{limit}{id}", "*"] }
        """#)
    // The argument vector and what it sees of Bobbin, each entry on a line of its own.
    try instance.handler(
      "show", #"printf '<%s>\n' "$@" >../arguments; env | grep BOBBIN_ | LC_ALL=C sort >../environment"#)
    try instance.drop(
      "a $(touch pwned).json",
      #"""
      {"channel_id": 1, "user": "`touch ../pwned`; $(id)", "command": ["/bin/false"], "url": "EVIL",
       "limit": "EVIL", "dir": "/EVIL", "environment": {"EVIL": "1"}, "BOBBIN_URL": "EVIL"}
      """#)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(
      try instance.directory.text("arguments") == """
        <$(touch ../pwned)>
        <feed;touch ../../pwned>
        <a b>
        <>
        <71>
        <*>

        """)
    #expect(
      try instance.directory.text("environment") == """
        BOBBIN_ATTEMPT=1
        BOBBIN_CHANNEL=demo
        BOBBIN_CHANNEL_ID=1
        BOBBIN_DIR=\(instance.directory.path)/library/demo
        BOBBIN_HISTORY_ID=1
        BOBBIN_KIND=manual
        BOBBIN_LIMIT=7
        BOBBIN_RUN=1
        BOBBIN_TRIGGER=a $(touch pwned).json
        BOBBIN_URL=feed;touch ../../pwned
        BOBBIN_USER=`touch ../pwned`; $(id)

        """)
    for place in ["pwned", "etc/pwned", "spool/pwned", "library/pwned", "library/demo/pwned"] {
      #expect(!instance.directory.exists(place))
    }
  }

  @Test(
    "promise 8: a failing job, a missing program, a bad file and an unwritable log stop nothing; the status tells"
  )
  func oneFailureStopsNothing() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "bad", command: ["handlers/fail"] },
        { id: 2, name: "gone", command: ["handlers/no-such"] },
        { id: 3, name: "good", command: ["handlers/note"] },
        """)
    // Logs that cannot be written, whoever one is: directories have their names.
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

  @Test("promise 9: with locks that lie, two batches over one spool run no trigger twice")
  func renameDecides() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/meet"] }"#)
    // The two first jobs wait for each other's batch, so that both work at the same time from then on.
    try instance.handler(
      "meet",
      """
      echo "$BOBBIN_TRIGGER" >>../ledger
      case $BOBBIN_TRIGGER in
      0-*) echo here >../gates/started; read -r line <../gates/release ;;
      esac
      """)
    let names = ["0-first.json", "0-second.json"] + (100..<140).map { "t-\($0).json" }
    for name in names { try instance.drop(name) }
    let environment = try Preload.environment(in: instance.directory).merging(Preload.brokenLocks) { $1 }
    let first = try instance.start("run", "--spool-only", environment: environment)
    try instance.started.wait()
    // This one finds the claim of the first, which lives, and leaves it alone.
    let second = try instance.start("run", "--spool-only", environment: environment)
    try instance.started.wait()
    #expect(first.isRunning && second.isRunning)
    try instance.release.pass(times: 2)
    #expect(try first.wait().status == 0)
    #expect(try second.wait().status == 0)
    #expect(try instance.ledger().sorted() == names)
    #expect(try instance.names("done") == names)
    #expect(try instance.pending() == [])
  }
}
