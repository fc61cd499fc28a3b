import Foundation
import TestSupport
import Testing

@Suite("The plan of a run", .alone)
struct DryRunTests {
  private static let channels = """
    { id: 1, name: "demo", command: ["handlers/note"] },
    { id: 2, name: "crash", command: ["handlers/crash"] },
    { id: 3, name: "off", command: ["handlers/note"], enabled: false },
    """

  /// A spool with an entry for every step of a run.
  private func instance() throws -> TestInstance {
    let instance = try TestInstance(channels: Self.channels)
    try instance.handler("crash", #"kill -9 "$PPID""#)
    try instance.drop("crashed.json", "2")
    #expect(try instance.bobbin("run", "--spool-only").status == -SIGKILL)
    try waitUntil("the job has ended") { try !instance.isLocked("channels/2.lock") }
    try instance.drop("z-first.json", #"{"channel": "demo", "user": "anna"}"#)
    try instance.drop("b.json", "2")
    try instance.drop("a-stale.json", age: .seconds(3_600))
    try instance.drop("c-broken.json", "{")
    try instance.drop("d-off.json", "3")
    #expect(symlink("/etc/passwd", "\(instance.spool)/e-link.json") == 0)
    return instance
  }

  private static let planned: [[JSON]] = [
    ["recover", "crashed.json", nil], ["expire", "a-stale.json", "demo"], ["reject", "c-broken.json", nil],
    ["reject", "e-link.json", nil], ["run", nil, "demo"], ["run", nil, "crash"], ["run", "b.json", "crash"],
    ["fail", "d-off.json", "off"], ["run", "z-first.json", "demo"],
  ]

  @Test("A plan has the steps of a run in their exact order, as JSON lines")
  func order() throws {
    let steps = try instance().bobbin("run", "--dry-run", "--json").jsonLines
    #expect(steps.map { [$0["action"], $0["trigger"], $0["channel"]] } == Self.planned)
    for step in steps {
      #expect(step.names == ["action", "channel", "channel_id", "reason", "trigger", "user"])
    }
    #expect(steps.last?["user"] == "anna")
  }

  @Test("A plan with --spool-only has every file in the order of names")
  func spoolOnly() throws {
    let steps = try instance().bobbin("run", "--dry-run", "--spool-only", "--json").jsonLines
    let spooled = Self.planned.dropFirst().filter { $0[1] != nil }.sorted { "\($0[1])" < "\($1[1])" }
    #expect(steps.map { [$0["action"], $0["trigger"], $0["channel"]] } == [Self.planned[0]] + spooled)
  }

  @Test("A plan for people has the same steps")
  func human() throws {
    let lines = try instance().bobbin("run", "--dry-run").outputLines
    try #require(lines.count == Self.planned.count)
    #expect(lines[0] == "recover  crashed.json: left by a run that crashed")
    #expect(lines[1].hasPrefix("expire   a-stale.json: requested at "))
    #expect(lines[4] == #"run      channel 1 "demo", scheduled"#)
    #expect(lines[8] == #"run      channel 1 "demo", trigger z-first.json, user anna"#)
    let empty = try TestInstance(channels: "")
    #expect(try empty.bobbin("run", "--dry-run").output == "nothing to do\n")
  }

  @Test(
    "A dry run does not change any file or time",
    arguments: [["run", "--dry-run"], ["check"], ["queue"], ["status"]])
  func touchesNothing(words: [String]) throws {
    let instance = try instance()
    func everything() throws -> [String] {
      try ["spool", "etc", "library"].flatMap { folder in
        instance.directory.exists(folder) ? try instance.directory.tree(folder) : ["no \(folder)"]
      }
    }
    let before = try everything()
    #expect(try instance.start(words).wait().status == 0)
    #expect(try everything() == before)
  }

  @Test("A run does the steps of the plan")
  func asPlanned() throws {
    let instance = try instance()
    try instance.handler("crash", #"echo "$BOBBIN_KIND $BOBBIN_CHANNEL ${BOBBIN_TRIGGER:--}" >>../ledger"#)
    #expect(try instance.bobbin("run").status == 1)
    #expect(
      try instance.ledger() == [
        "scheduled demo -", "scheduled crash -", "manual crash b.json", "manual crash crashed.json",
        "manual demo z-first.json",
      ])
    #expect(try instance.names("expired") == ["a-stale.json"])
    #expect(try instance.names("rejected") == ["c-broken.json", "e-link.json"])
    #expect(try instance.names("failed") == ["d-off.json"])
  }

  @Test("A dry run does not make a spool that is missing")
  func missingSpool() throws {
    let instance = try TestInstance()
    #expect(rmdir(instance.spool) == 0)
    let result = try instance.bobbin("run", "--dry-run")
    #expect(result.status == 0)
    #expect(result.output == "run      channel 1 \"demo\", scheduled\n")
    #expect(!instance.directory.exists("spool"))
  }
}
