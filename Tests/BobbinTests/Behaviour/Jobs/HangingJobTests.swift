import Foundation
import TestSupport
import Testing

/// A process that waits for a dead disk does not end for any signal. The batch waits for it for a while and then
/// continues without it. Anything that the process does later must not be attributed to another job.
@Suite("A process that even SIGKILL does not end", .alone)
struct HangingJobTests {
  /// A line through this gate lets the hanging process write late output.
  private static let speak = "gates/speak"
  /// A line comes through this gate when the late output is written.
  private static let spoken = "gates/spoken"

  /// The script of the hanging process. Nobody reads its pipes at the end, so it must not end for SIGPIPE before it has
  /// written to both.
  private static let hang = """
    trap '' PIPE
    read -r line <../\(speak)
    echo late
    echo 'late, too' >&2
    echo >../\(spoken)
    """

  /// Two channels, `hanging` and `other`, and an environment in which signals have no effect. Both gates stay open
  /// until the test closes them, which ends the processes that still wait there.
  private struct Stage {
    let instance: TestInstance
    let environment: [String: String]
    private let gates: [Gate]

    /// - Parameters:
    ///   - script: the script of the job of `a.json`.
    ///   - timeout: the timeout of the channel `hanging`.
    init(_ script: String, timeout: String = "1h") throws {
      let instance = try TestInstance(channels: Self.channels(timeout: timeout))
      gates = try [speak, spoken].map { try Gate("\(instance.directory.path)/\($0)") }
      try instance.handler("hang", "[ $BOBBIN_TRIGGER = a.json ] || exec handlers/note\n\(script)")
      // The other process writes while this job runs.
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

    /// The log of the only job of a trigger.
    func log(of trigger: String) throws -> String {
      let records = try instance.records(of: trigger)
      guard records.count == 1, let id = records[0]["id"].number else {
        throw Failure("not one record of \(trigger): \(records)")
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

  @Test("A hanging job is finally abandoned, other channels continue, and its own channel stays locked")
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
    // Its later output is not in any log.
    #expect(try stage.log(of: "a.json") == "begun\n")
    #expect(try stage.log(of: "c.json") == "item\n")
    #expect(try instance.names("failed") == ["a.json"])

    // The process was still running when it was its channel's turn, and has ended since.
    #expect(try run.json["triggers"]["deferred"] == 1)
    #expect(
      run.errorLine(
        with: " warning ", "b.json", #"processes of an earlier job are still running on channel "hanging""#)
        != nil)
    #expect(try instance.pending() == ["b.json"])
    try waitUntil("the process that hung has ended") { try !instance.isLocked("channels/1.lock") }
    try instance.configure(channels: Stage.channels(timeout: "1h"))
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == ["manual other c.json", "manual hanging b.json"])
    #expect(try instance.records(of: "b.json").map { $0["outcome"] } == ["succeeded"])
  }

  @Test("A run waits for a hanging process only once, and does not delay other jobs")
  func onlyOnce() throws {
    let stage = try Stage("trap '' PIPE\necho begun\n\(Self.hang)", timeout: "300ms")
    let instance = stage.instance
    // The job of d.json, which is the last, lets the hanging process end.
    try instance.handler(
      "wait",
      "[ $BOBBIN_TRIGGER = d.json ] && { echo >../\(Self.speak); read -r line <../\(Self.spoken); }\nexec handlers/note"
    )
    try instance.drop("a.json", "1")
    for name in ["b.json", "c.json", "d.json"] { try instance.drop(name, "2") }
    let run = try instance.start("run", "--spool-only", environment: stage.environment).wait(.seconds(60))
    #expect(run.status == 1)
    #expect(try instance.ledger() == ["b.json", "c.json", "d.json"].map { "manual other \($0)" })
    // The batch would wait 5 s for the hanging process, and these jobs take some milliseconds.
    for name in ["b.json", "c.json"] {
      let duration = try #require(try instance.records(of: name).first?["duration_s"].number)
      #expect(duration < 4)
    }
  }
}
