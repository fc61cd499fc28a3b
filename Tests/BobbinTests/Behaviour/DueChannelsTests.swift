import Foundation
import Posix
import TestSupport
import Testing

@Suite("Channels that are due", .alone)
struct DueChannelsTests {
  /// A channel `demo` with these keys; its job notes itself, and fails as long as there is a file `broken`.
  private func instance(_ keys: String, also: String = "", settings: String = "") throws -> TestInstance {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/work"], \#(keys) }, \#(also)"#,
      settings: settings)
    try instance.handler("work", #"echo "$BOBBIN_CHANNEL" >>../ledger; ! test -e ../broken"#)
    return instance
  }

  private func time(_ ago: Duration) -> String {
    (Timestamp.now() + (.zero - ago)).rfc3339(fractionDigits: 6)
  }

  /// Has the channel `demo` remembered with these fields.
  private func remember(_ fields: String, in instance: TestInstance) throws {
    try instance.directory.write("spool/state/channels.json", #"{"channels":[{"id":1,\#(fields)}]}"#)
  }

  private func state(_ instance: TestInstance) throws -> JSON {
    try instance.document("state/channels.json")["channels"][0]
  }

  private func run(_ instance: TestInstance, _ options: String...) throws -> Int {
    try instance.clearLedger()
    let run = try instance.start(["run", "--json"] + options).wait()
    #expect(run.status == 0 || instance.directory.exists("broken"), "\(run)")
    return try instance.ledger().count
  }

  static let starts: [(keys: String, ago: Int, isDue: Bool)] = [
    (#"every: "1h""#, 3_595, true), (#"every: "1h""#, 3_425, true), (#"every: "1h""#, 3_400, false),
    (#"every: "1h""#, 0, false), (#"every: "1h""#, 1_000_000, true),
    // A clock that jumped back an hour runs nothing twice, and one that was set back by more counts from now on.
    (#"every: "1m""#, -3_000, false), (#"every: "1m""#, -1_000_000, false),
    (#"schedule: "* * * * *""#, 61, true), (#"schedule: "* * * * *""#, -3_000, false),
    (#"schedule: "* * * * *""#, 1_000_000, true), (#"schedule: "0 0 29 2 *""#, 3_600, false),
    (#"schedule: "0 0 29 2 *""#, 200_000_000, true),
  ]

  @Test("A channel is due when its time has come since its last scheduled start", arguments: starts)
  func due(_ keys: String, _ ago: Int, _ isDue: Bool) throws {
    let instance = try instance(keys)
    try remember(#""started_at":"\#(time(.seconds(ago)))""#, in: instance)
    let action: JSON = isDue ? "run" : "wait"
    #expect(try instance.bobbin("run", "--dry-run", "--json").jsonLines.map { $0["action"] } == [action])
    #expect(try run(instance) == (isDue ? 1 : 0))
    // However many moments were missed, it runs once.
    #expect(try run(instance) == 0)
    // A trigger is not bound to a schedule.
    try instance.drop("a.json")
    #expect(try run(instance) == 1)
    #expect(try run(instance, "--all") == 1)
  }

  @Test("A start far in the future, which a wrong clock has left, counts as now")
  func future() throws {
    let instance = try instance(#"every: "1h""#)
    try remember(#""started_at":"2100-01-01T00:00:00Z""#, in: instance)
    #expect(try run(instance) == 0)
    let next = try instance.bobbin("status", "--json").json["channels"][0]["next_at"]
    let seconds =
      try #require(next.string.flatMap { Timestamp(rfc3339: $0) }).seconds - Timestamp.now().seconds
    #expect((3_500...3_600).contains(seconds))
  }

  @Test("A channel that has never run is due at once with every, and at its next moment with schedule")
  func new() throws {
    let instance = try instance(
      #"every: "6h""#, also: #"{ id: 2, name: "nightly", command: ["handlers/work"], schedule: "* * * * *" }"#
    )
    let plan = try instance.bobbin("run", "--dry-run", "--json").jsonLines
    #expect(plan.map { $0["action"] } == ["run", "wait"])
    #expect(plan[1]["reason"].string?.hasPrefix("due at 20") == true)
    #expect(try run(instance) == 1)
    // It is remembered when it was first seen: otherwise its next moment would never have passed.
    let seen = try instance.document("state/channels.json")["channels"][1]
    #expect(seen["seen_at"].string != nil && seen["started_at"] == nil)
    let text = try instance.directory.text("spool/state/channels.json")
    let seenAt = try #require(seen["seen_at"].string)
    try instance.directory.write(
      "spool/state/channels.json", text.replacingOccurrences(of: seenAt, with: time(.seconds(61))))
    #expect(try run(instance) == 1)
    #expect(try instance.ledger() == ["nightly"])
  }

  @Test("A scheduled channel rests after failures, twice as long after each, at most a day")
  func backoff() throws {
    let instance = try instance(#"backoff: "15m""#)
    try instance.directory.write("broken", "")
    #expect(try run(instance) == 1)
    #expect(try run(instance) == 0)
    for (failures, rest) in [(1, 900), (2, 1_800), (5, 14_400), (8, 86_400), (5_000, 86_400)] {
      func failed(_ ago: Int) throws {
        try remember(#""failures":\#(failures),"failed_at":"\#(time(.seconds(ago)))""#, in: instance)
      }
      try failed(rest - 30)
      let plan = try instance.bobbin("run", "--dry-run", "--json").jsonLines
      #expect(plan.map { $0["action"] } == ["wait"])
      #expect(plan[0]["reason"].string?.hasPrefix("rests after failures until 20") == true)
      try failed(rest)
      #expect(try run(instance) == 1)
      #expect(try state(instance)["failures"] == .number(Double(failures + 1)))
    }
    // A trigger and --all do not wait, and a success ends the rest.
    try FileManager.default.removeItem(atPath: "\(instance.directory.path)/broken")
    #expect(try run(instance) == 0)
    try instance.drop("a.json")
    #expect(try run(instance) == 1)
    #expect(try run(instance) == 0)
    #expect(try run(instance, "--all") == 1)
    #expect(try state(instance)["failures"] == 0)
    #expect(try run(instance) == 1)
  }

  /// The system calls that write or sync, as strace(1) sees them, of a run that says nothing; none where it is missing.
  private func callsThatWrite(_ instance: TestInstance) throws -> [String] {
    let strace = "/usr/bin/strace"
    guard FileManager.default.fileExists(atPath: strace) else { return [] }
    let journal = try instance.directory.path("journal")
    let calls = "fsync,fdatasync,syncfs,write,pwrite64,unlinkat,mkdirat,renameat,renameat2,linkat,ftruncate"
    let idle = try Program(
      strace,
      [
        "-f", "-qq", "-e", "trace=\(calls)", "-e", "signal=none", "-o", journal, try Program.bobbin().path,
        "--config", instance.configuration, "run", "--quiet",
      ]
    ).start(outputIn: instance.directory).wait()
    #expect(idle.status == 0 && idle.output == "" && idle.error == "", "\(idle)")
    return try String(contentsOfFile: journal, encoding: .utf8).split(separator: "\n").map(String.init)
      .filter { !$0.contains("EEXIST") }
  }

  @Test("A run in which nothing is due, pending or to be recovered writes nothing, and takes no number")
  func idle() throws {
    let instance = try instance(#"every: "6h""#)
    #expect(try run(instance) == 1)
    let before = try instance.directory.tree("spool")
    #expect(try callsThatWrite(instance) == [])
    let summary = try instance.bobbin("run", "--json")
    #expect(try summary.json["status"] == "completed")
    #expect(try summary.json["run"] == nil)
    #expect(try summary.json["channels"]["total"] == 0)
    #expect(try instance.bobbin("run").output.hasPrefix("nothing to do; channels: none; triggers: none"))
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.directory.tree("spool") == before)
    // The numbers of runs go on without a gap.
    #expect(try instance.bobbin("run", "--all", "--json").json["run"] == 2)
  }

  @Test("A run says that another is active although nothing is due")
  func busy() throws {
    let instance = try instance(#"every: "6h""#)
    #expect(try run(instance) == 1)
    let lock = try Directory(path: instance.spool).lock("scheduler.lock")
    #expect(try instance.bobbin("run").status == 75)
    _ = lock.file.number
  }

  @Test("Old results are removed by a run that has nothing else to do")
  func retention() throws {
    let instance = try instance(#"every: "6h""#)
    #expect(try run(instance) == 1)
    try instance.directory.write("spool/done/old.json", "", age: .seconds(8 * 86_400))
    #expect(try run(instance) == 0)
    #expect(try instance.names("done") == [])
  }

  @Test("A job that is cut short by a crash is due in the next run, and a moment is not run twice")
  func crash() throws {
    for (rerun, expected) in [("true", 1), ("false", 0)] {
      let instance = try instance(#"every: "6h", rerun: \#(rerun)"#)
      try instance.handler("work", #"echo "$BOBBIN_CHANNEL" >>../ledger; test -e ../safe || kill -9 "$PPID""#)
      #expect(try instance.bobbin("run").status == -SIGKILL)
      try waitUntil("the job has ended") { try !instance.isLocked("channels/1.lock") }
      #expect(try state(instance)["job"] == 1)
      try instance.directory.write("safe", "")
      #expect(try run(instance) == expected)
      #expect(try run(instance) == 0)
      #expect(try instance.history().filter { $0["outcome"] == "interrupted" }.count == 1)
      #expect(try state(instance)["job"] == nil)
    }
  }

  @Test("A job whose record is in the history has ended, also if the batch was killed before it noted that")
  func recorded() throws {
    let instance = try instance(#"every: "6h""#)
    try instance.directory.write("broken", "")
    #expect(try run(instance) == 1)
    try remember(#""started_at":"\#(time(.seconds(1)))","job":1"#, in: instance)
    #expect(try run(instance) == 0)
    #expect(try state(instance)["failures"] == 1)
    // Without a record it was cut short, as by a power cut.
    try remember(#""started_at":"\#(time(.seconds(1)))","job":77"#, in: instance)
    #expect(try run(instance) == 1)
  }

  @Test("A job that a signal cuts short is due in the next run")
  func stopped() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/hold"], every: "6h" }"#)
    let stopped = try instance.start("run")
    try instance.started.wait()
    stopped.signal(SIGTERM)
    #expect(try stopped.wait().status == 143)
    let next = try instance.start("run", "--json")
    try instance.started.wait()
    try instance.release.pass()
    #expect(try next.wait().json["channels"]["succeeded"] == 1)
    #expect(try run(instance) == 0)
  }

  @Test("What is remembered is durable before the job begins")
  func durable() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/hold"], every: "6h" }"#)
    let environment = try Preload.environment(in: instance.directory)
    let run = try instance.start(
      "run", environment: environment.merging(Preload.brokenSync(".channels.json")) { $1 })
    #expect(try run.wait().status == 74)
    #expect(try instance.ledger() == [])
  }

  @Test("A damaged file of what is remembered stops nothing, and is replaced")
  func damage() throws {
    let instance = try instance(#"every: "6h""#)
    try instance.directory.write("spool/state/channels.json", "{")
    let run = try instance.bobbin("run")
    #expect(run.status == 0)
    #expect(run.errorLine(with: " warning ", "state/channels.json is damaged") != nil)
    #expect(try instance.bobbin("run", "--json").json["run"] == nil)
  }

  @Test("What another user remembers for the batch is not believed")
  func foreign() throws {
    // Only root can give files away.
    guard geteuid() == 0 else { return }
    let instance = try instance(#"every: "6h""#)
    try remember(#""started_at":"\#(time(.seconds(1)))""#, in: instance)
    #expect(chown("\(instance.spool)/state", 4_242, 4_242) == 0)
    #expect(try run(instance) == 1)
    #expect(instance.directory.exists("spool/.foreign-state"))
  }

  @Test("The status says when each channel is due next")
  func status() throws {
    let instance = try instance(
      #"every: "6h""#,
      also: """
        { id: 2, name: "each", command: ["handlers/work"] },
        { id: 3, name: "nightly", command: ["handlers/work"], schedule: "30 3 1 1 *", time_zone: "Europe/Berlin" },
        { id: 4, name: "off", command: ["handlers/work"], every: "6h", enabled: false },
        """)
    #expect(try run(instance) == 2)
    let channels = try instance.bobbin("status", "--json").json["channels"]
    let started = try #require(try state(instance)["started_at"].string.flatMap { Timestamp(rfc3339: $0) })
    #expect(channels[0]["next_at"].string == (started + .seconds(6 * 3_600)).rfc3339())
    #expect(channels[1]["next_at"] == nil)
    #expect(channels[2]["next_at"].string?.hasSuffix("-01-01T02:30:00Z") == true)
    #expect(channels[3]["next_at"] == nil)
    let text = try instance.bobbin("status").outputLines
    #expect(text.contains { $0.contains("each run") })
    #expect(text.contains { $0.contains("-01-01T02:30:00Z") })
  }

  @Test("A plan names the channels that are not due, with their time, and --all takes them")
  func plan() throws {
    let instance = try instance(#"schedule: "30 3 1 1 *", time_zone: "UTC""#)
    let lines = try instance.bobbin("run", "--dry-run").outputLines
    try #require(lines.count == 1)
    #expect(
      lines[0].wholeMatch(of: /wait     channel 1 "demo", scheduled: due at 20[0-9][0-9]-01-01T03:30:00Z/)
        != nil)
    #expect(try instance.bobbin("check").output.contains("  " + lines[0]))
    #expect(
      try instance.bobbin("run", "--dry-run", "--all").outputLines == [
        #"run      channel 1 "demo", scheduled"#
      ])
    #expect(try instance.bobbin("run", "--all", "--spool-only").status == 64)
  }
}
