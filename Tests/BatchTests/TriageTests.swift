import Batch
import Channels
import Posix
import Spool
import TestSupport
import Testing

/// The verdict is a pure function: each row of a table is a file and its verdict.
@Suite("The verdict on a file in the spool", .alone)
struct TriageTests {
  private let scratch: TemporaryDirectory
  private let configuration: Configuration
  /// The change time of every file.
  private let changed: Timestamp

  init() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/note"] }, { id: 2, name: "off", command: ["true"], enabled: false }
        """, settings: #"settle: "2s","#)
    configuration = try instance.loadConfiguration()
    scratch = try TemporaryDirectory()
    changed = .now()
  }

  /// The verdict on a trigger with this content, `age` after it was written.
  private func verdict(
    _ content: String, name: String = "a.json", age: Duration = .zero, rested: Duration = .seconds(60),
    isClaimed: Bool = false
  ) throws -> String {
    try scratch.write(name, content)
    let file = try #require(try Directory(path: scratch.path).status(of: FileName(name)))
    let trigger = Trigger(name: FileName(name), file: file, bytes: Array(content.utf8))
    let triage = Triage(configuration: configuration, asOf: isClaimed ? nil : trigger.requestedAt + age)
    return describe(triage.verdict(on: .settled(trigger, rested: rested)))
  }

  private func describe(_ verdict: Verdict) -> String {
    switch verdict {
    case .gone: "gone"
    case .unsettled: "unsettled"
    case .unreadable(_, let reason): "unreadable: \(reason)"
    case .reject(let reason, _, _): "reject: \(reason.text)"
    case .expire(_, let channel, _): "expire \(channel?.name ?? "-")"
    case .fail(_, let channel, let reason): "fail \(channel?.name ?? "-"): \(reason)"
    case .run(_, let channel): "run \(channel.name)"
    }
  }

  @Test(
    "A trigger for an enabled channel is run",
    arguments: [
      "1", "\"demo\"", #"{"channel_id": 1}"#, #"{"channel": "demo"}"#, #"{"channel_id":1,"channel":"demo"}"#,
    ])
  func run(content: String) throws { #expect(try verdict(content) == "run demo") }

  @Test(
    "A trigger that names no usable channel fails with the reason",
    arguments: [
      ("9", "fail -: no channel 9 in "), ("\"dogs\"", "fail -: no channel \"dogs\" in "),
      ("2", "fail off: channel \"off\" is disabled in "),
      (#"{"channel_id": 1, "channel": "off"}"#, "fail -: 1 and \"off\" are two different channels"),
    ])
  func fail(content: String, expected: String) throws {
    #expect(try verdict(content).hasPrefix(expected))
  }

  @Test("A file that does not name a channel is rejected", arguments: ["[]", "{}", "{", "not a trigger"])
  func reject(content: String) throws { #expect(try verdict(content).hasPrefix("reject: ")) }

  @Test(
    "A file is given up only when it has not changed for long enough, and a trigger that can be run is run at once",
    arguments: [
      ("a.json", "{", 2, "reject"), ("a.json", "9", 2, "fail"), ("a.json", "dogs", 2, "fail"),
      ("a.json", #"{"channel": "dogs"}"#, 2, "fail"), ("dogs.json", "", 15, "fail"),
      ("in.demo.1.json", "", 15, "fail"),
    ])
  func rest(name: String, content: String, seconds: Int, expected: String) throws {
    let needed = Duration.seconds(seconds)
    #expect(try verdict(content, name: name, rested: needed - .nanoseconds(1)) == "unsettled")
    #expect(try verdict(content, name: name, rested: needed).hasPrefix(expected))
    #expect(try verdict("1", name: name, rested: .zero) == "run demo")
  }

  @Test("An empty file that the batch's user may not read is judged by its name")
  func unreadableAndEmpty() throws {
    #expect(try verdict("", name: "demo.json", rested: .seconds(10)) == "run demo")
  }

  @Test(
    "A trigger expires when it is older than `expire_after`, not when it is as old",
    arguments: [
      (.seconds(1_800), "run demo"), (.seconds(1_800) + .nanoseconds(1), "expire demo"),
      (.seconds(86_400), "expire demo"),
    ] as [(Duration, String)])
  func expire(age: Duration, expected: String) throws { #expect(try verdict("1", age: age) == expected) }

  @Test(
    "A stale trigger expires whatever its channel is, but a file that is not a trigger is rejected",
    arguments: [("2", "expire off"), ("9", "expire -"), ("{", "reject")])
  func staleAnyway(content: String, expected: String) throws {
    #expect(try verdict(content, age: .seconds(86_400)).hasPrefix(expected))
  }

  @Test("A claimed trigger does not expire")
  func claimed() throws { #expect(try verdict("1", age: .seconds(86_400), isClaimed: true) == "run demo") }

  @Test("An inspection without a complete trigger gets a verdict that does not depend on a channel")
  func other() throws {
    let triage = Triage(configuration: configuration, asOf: changed)
    #expect(describe(triage.verdict(on: .vanished)) == "gone")
    let file = try #require(try PathQueries.status("/"))
    #expect(describe(triage.verdict(on: .unsettled(file))) == "unsettled")
    #expect(
      describe(triage.verdict(on: .invalid(RejectReason("a directory"), file))) == "reject: a directory")
  }
}
