import Foundation
import TestSupport
import Testing

/// A process that waits for a dead disk ends for no signal. The batch waits for it for a while and then goes on without
/// it; what the process does later is nobody else's.
@Suite("A process that even SIGKILL does not end", .alone)
struct HangingJobTests {
  /// A line through it lets the process that hangs write something late.
  private static let speak = "gates/speak"
  /// A line comes through it when that is written.
  private static let spoken = "gates/spoken"

  /// What the process does that hangs. Nobody reads its pipes any more, so it must not end for SIGPIPE before it has
  /// written to both.
  private static let hang = """
    trap '' PIPE
    read -r line <../\(speak)
    echo late
    echo 'late, too' >&2
    echo >../\(spoken)
    """

  /// Two channels, `hanging` and `other`, and the environment in which nothing ends for a signal. Both gates are kept
  /// open until the test lets go of them, which ends what still waits there.
  private struct Stage {
    let instance: TestInstance
    let environment: [String: String]
    private let gates: [Gate]

    /// - Parameters:
    ///   - script: what the job of `a.json` does.
    ///   - timeout: of the channel `hanging`.
    init(_ script: String, timeout: String = "1h") throws {
      let instance = try TestInstance(channels: Self.channels(timeout: timeout))
      gates = try [speak, spoken].map { try Gate("\(instance.directory.path)/\($0)") }
      try instance.handler("hang", "[ $BOBBIN_TRIGGER = a.json ] || exec handlers/note\n\(script)")
      // In the middle of this job the other process writes.
      try instance.handler("wait", "echo >../\(speak)\nread -r line <../\(spoken)\nexec handlers/note")
      self.instance = instance
      environment = try Preload.environment(in: instance.directory).merging(Preload.brokenKill) { $1 }
    }

    static func channels(timeout: String) -> String {
      """
      { id: 1, name: "hanging", command: ["handlers/hang"], timeout: "\(timeout)", grace: "50ms" },
      { id: 2, name: "other", command: ["handlers/wait"], grace: "50ms" },
      """
    }

    /// What the log of the one job of a trigger holds.
    func log(of trigger: String) throws -> String {
      let records = try instance.records(of: trigger)
      guard records.count == 1, let id = records[0]["id"].number else {
        throw Failure("one record of \(trigger), not \(records)")
      }
      let path = "spool/logs/\(Int(id)).log"
      return instance.directory.exists(path) ? try instance.directory.text(path) : ""
    }
  }

  @Test("The later output of a process that was left behind is neither counted nor logged for the next job")
  func leftBehind() throws {
    let stage = try Stage("(\n\(Self.hang)\n) &\necho item")
    let instance = stage.instance
    try instance.drop("a.json", "1")
    try instance.drop("b.json", "2")
    let run = try instance.start("run", "--spool-only", "--json", environment: stage.environment).wait(
      .seconds(60))
    #expect(run.status == 0, "\(run)")
    #expect(try run.json["videos_downloaded"] == 2)
    #expect(
      try instance.history().prefix(2).map { [$0["trigger"], $0["outcome"], $0["videos_downloaded"]] } == [
        ["a.json", "succeeded", 1], ["b.json", "succeeded", 1],
      ])
    #expect(try stage.log(of: "a.json") == "item\n")
    #expect(try stage.log(of: "b.json") == "item\n")
  }

  @Test("A job that hangs is abandoned in the end: other channels go on, and its own stays locked")
  func hangingJob() throws {
    let stage = try Stage("trap '' PIPE\necho begun\n\(Self.hang)", timeout: "300ms")
    let instance = stage.instance
    try instance.drop("a.json", "1")
    try instance.drop("b.json", "1")
    try instance.drop("c.json", "2")
    let run = try instance.start("run", "--spool-only", "--json", environment: stage.environment).wait(
      .seconds(60))
    #expect(run.status == 1)
    #expect(
      try instance.history().prefix(2).map { [$0["trigger"], $0["outcome"], $0["videos_downloaded"]] } == [
        ["a.json", "timed_out", 1], ["c.json", "succeeded", 1],
      ])
    #expect(try instance.records(of: "a.json").map { $0["error_message"] } == ["not finished after 300ms"])
    // What it wrote later is nobody's.
    #expect(try stage.log(of: "a.json") == "begun\n")
    #expect(try stage.log(of: "c.json") == "item\n")
    #expect(try instance.names("failed") == ["a.json"])

    // It was still at work when the turn of its channel came, and has ended since.
    #expect(try run.json["triggers"]["deferred"] == 1)
    #expect(
      run.errorLine(
        with: " warning ", "b.json", #"processes of an earlier job still work on channel "hanging""#) != nil)
    #expect(try instance.pending() == ["b.json"])
    try waitUntil("the process that hung has ended") { try !instance.isLocked("channels/1.lock") }
    try instance.configure(channels: Stage.channels(timeout: "1h"))
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == ["manual other c.json", "manual hanging b.json"])
    #expect(try instance.records(of: "b.json").map { $0["outcome"] } == ["succeeded"])
  }

  @Test("A hanging process is waited for once: it delays no job but its own")
  func onlyOnce() throws {
    let stage = try Stage("trap '' PIPE\necho begun\n\(Self.hang)", timeout: "300ms")
    let instance = stage.instance
    // After them comes the one that lets the other process end.
    try instance.handler(
      "wait",
      "[ $BOBBIN_TRIGGER = d.json ] && { echo >../\(Self.speak); read -r line <../\(Self.spoken); }\nexec handlers/note"
    )
    try instance.drop("a.json", "1")
    for name in ["b.json", "c.json", "d.json"] { try instance.drop(name, "2") }
    let run = try instance.start("run", "--spool-only", environment: stage.environment).wait(.seconds(60))
    #expect(run.status == 1)
    #expect(try instance.ledger() == ["b.json", "c.json", "d.json"].map { "manual other \($0)" })
    // Its patience is 5 s, and these take some milliseconds.
    for name in ["b.json", "c.json"] {
      let duration = try #require(try instance.records(of: name).first?["duration_s"].number)
      #expect(duration < 4)
    }
  }
}
