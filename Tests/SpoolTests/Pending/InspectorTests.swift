import Foundation
import Posix
import Spool
import TestSupport
import Testing

@Suite("The inspection of files in the spool", .alone)
struct InspectorTests {
  let scratch: TemporaryDirectory
  let directory: Directory
  private let settle: Duration = .seconds(2)

  init() throws {
    scratch = try TemporaryDirectory()
    directory = try scratch.open()
  }

  private func inspect(_ name: String, now: Timestamp = .now()) throws -> Inspection {
    try Inspector(directory, SettleRules(settle: settle)).inspect(FileName(name), now: now)
  }

  /// Writes a file that belongs to another user than `asOrdinaryUser` becomes.
  private func foreign(_ name: String, _ text: String, mode: UInt32) throws {
    try scratch.write(name, text)
    chmod("\(scratch.path)/\(name)", mode)
    chmod(scratch.path, 0o755)
  }

  private func changed(_ name: String) throws -> Timestamp {
    try #require(try directory.status(of: FileName(name))).changed
  }

  @Test(
    "A file is taken neither half written nor while somebody has it open, however long it has not changed",
    arguments: [
      "", "7", "cats", "\"cats\"", #"{"channel_id":7}"#, #"{"channel_id":7"#, "{", "non sense", " ",
    ])
  func writing(_ text: String) throws {
    try scratch.write("a.json", text)
    let writer = try directory.open(FileName("a.json"), .append)
    #expect(try inspect("a.json").isUnsettled)
    #expect(try inspect("a.json", now: .now() + .seconds(3_600)).isUnsettled)
    _ = writer.number
  }

  @Test(
    "A trigger with a content is taken as soon as nobody has it open",
    arguments: ["7", "cats", "\"cats\"", #"{"channel_id":7}"#])
  func closed(_ text: String) throws {
    try scratch.write("a.json", text)
    #expect(try inspect("a.json", now: changed("a.json")).isSettled)
  }

  @Test(
    "What may be the beginning of something else must have rested, although nobody has it open",
    arguments: ["", " \n", "{", #"{"channel_id":7"#, "not a trigger"])
  func beginning(_ text: String) throws {
    try scratch.write("7.json", text)
    #expect(try inspect("7.json", now: changed("7.json") + (settle - .nanoseconds(1))).isUnsettled)
    #expect(try inspect("7.json", now: changed("7.json") + settle).isSettled)
  }

  @Test("A file rests for `rest` whatever it holds", arguments: ["", "7", #"{"channel_id":7}"#])
  func rest(_ text: String) throws {
    try scratch.write("7.json", text)
    let inspector = Inspector(directory, SettleRules(settle: settle, rest: .seconds(5)))
    let changed = try changed("7.json")
    #expect(try inspector.inspect(FileName("7.json"), now: changed + .seconds(4)).isUnsettled)
    #expect(try inspector.inspect(FileName("7.json"), now: changed + .seconds(5)).isSettled)
  }

  @Test("Nothing needs to rest where `settle` is 0", arguments: ["", "{", "7"])
  func noRest(_ text: String) throws {
    try scratch.write("7.json", text)
    #expect(
      try Inspector(directory, SettleRules(settle: .zero)).inspect(FileName("7.json"), now: changed("7.json"))
        .isSettled)
  }

  @Test(
    "Another user's file that may still be open rests longer, unless it is an object that parses",
    arguments: [("", 10), ("7", 10), ("cats", 10), (#"{"channel_id":7}"#, 2), ("{", 2)])
  func foreign(_ text: String, _ seconds: Int) throws {
    try foreign("7.json", text, mode: 0o644)
    let now = try changed("7.json") + .seconds(seconds)
    let (before, after) = try asOrdinaryUser {
      (try inspect("7.json", now: now + (.zero - .nanoseconds(1))), try inspect("7.json", now: now))
    }
    #expect(before.isUnsettled)
    #expect(after.isSettled)
  }

  @Test("Another user's empty file is a trigger although the batch's user may not read it")
  func unreadableAndEmpty() throws {
    try foreign("7.json", "", mode: 0o600)
    let changed = try changed("7.json")
    let (before, after) = try asOrdinaryUser {
      (try inspect("7.json", now: changed + .seconds(9)), try inspect("7.json", now: changed + .seconds(10)))
    }
    #expect(before.isUnsettled)
    guard case .settled(let trigger, _) = after else { throw Failure("settled, not \(after)") }
    #expect(trigger.channels == .success([.id(7)]))
  }

  @Test(
    "A claimed file that the batch's user may not read is not waited for, so that no attempt is forgotten")
  func unreadableClaim() throws {
    try foreign("1.1.7.json", "", mode: 0o600)
    try foreign("2.1.x.json", "7", mode: 0o600)
    let inspector = Inspector(directory, SettleRules(settle: settle), isForClaims: true)
    let (empty, other) = try asOrdinaryUser {
      (
        try inspector.inspect(FileName("1.1.7.json"), of: FileName("7.json"), now: .now()),
        try inspector.inspect(FileName("2.1.x.json"), of: FileName("x.json"), now: .now())
      )
    }
    guard case .settled(let trigger, _) = empty else { throw Failure("settled, not \(empty)") }
    #expect(trigger.channels == .success([.id(7)]))
    #expect(other.oddity == "it may not be read by the batch's user (uid 1)")
  }

  @Test("Another user's file that the batch's user may not read is left alone, and says whose it is")
  func unreadable() throws {
    try foreign("7.json", "{}", mode: 0o600)
    let changed = try changed("7.json")
    let (before, after) = try asOrdinaryUser {
      (try inspect("7.json", now: changed), try inspect("7.json", now: changed + settle))
    }
    #expect(before.isUnsettled)
    guard case .unreadable(let trigger) = after else { throw Failure("unreadable, not \(after)") }
    #expect(trigger.requestedAt == trigger.file.modified)
    #expect(
      trigger.channels == .failure(RejectReason("it may not be read by the batch's user (uid 1)")))
  }

  @Test(
    "A file whose writers are unknown is final when it has not changed for the time to settle",
    arguments: [
      (Duration.seconds(2), true), (.seconds(2) - .nanoseconds(1), false), (.zero, false),
      (.seconds(9_999), true),
      // The clock was set back. A change that is far in the future is not waited for.
      (.seconds(-2), false), (.seconds(-2) - .nanoseconds(1), true),
    ])
  func unknown(_ age: Duration, _ isSettled: Bool) throws {
    // The file belongs to root and is inspected by another user, who is refused a lease.
    let etc = try Directory(path: "/etc")
    let status = try #require(try etc.status(of: FileName("passwd")))
    try #require(status.owner == 0 && status.links == 1)
    let inspection = try asOrdinaryUser {
      try Inspector(etc, SettleRules(settle: settle)).inspect(FileName("passwd"), now: status.changed + age)
    }
    #expect(inspection.isSettled == isSettled)
    #expect(inspection.isUnsettled == !isSettled)
  }

  @Test("What is not there has vanished")
  func vanished() throws {
    guard case .vanished = try inspect("a.json") else {
      Issue.record("vanished, not \(try inspect("a.json"))")
      return
    }
  }

  static let oddities: [(kind: String, reason: String)] = [
    ("link", "a symbolic link"), ("dangling link", "a symbolic link"), ("link to a FIFO", "a symbolic link"),
    ("FIFO", "a FIFO"), ("socket", "a socket"), ("directory", "a directory"),
    ("64 KiB + 1", "larger than 64 KiB"),
    ("1 TiB", "larger than 64 KiB"),
  ]

  private func make(_ kind: String) throws {
    switch kind {
    case "link":
      try scratch.write("target", #"{"channel_id":7}"#)
      try scratch.symbolicLink("a.json", to: "target")
    case "dangling link": try scratch.symbolicLink("a.json", to: "nowhere")
    case "link to a FIFO":
      try scratch.fifo("target")
      try scratch.symbolicLink("a.json", to: "target")
    case "FIFO": try scratch.fifo("a.json")
    case "socket": try scratch.socket("a.json")
    case "directory": try scratch.directory("a.json")
    case "64 KiB + 1": try scratch.write("a.json", String(repeating: " ", count: 64 * 1024 + 1))
    case "1 TiB": try scratch.sparse("a.json", size: 1 << 40)
    default: throw Failure("unknown kind \(kind)")
    }
  }

  @Test("An entry that is not a small plain file is invalid, and is not opened", arguments: oddities)
  func odd(_ kind: String, _ reason: String) throws {
    try make(kind)
    let watch = try OpenWatch(scratch.path)
    #expect(try inspect("a.json").oddity == reason)
    #expect(watch.opened() == [])
    // The time does not matter.
    #expect(try inspect("a.json", now: .now() + .seconds(9_999)).oddity == reason)
  }

  @Test("The watch that the test above uses sees a file that is opened")
  func watch() throws {
    try scratch.write("a.json", "7")
    let watch = try OpenWatch(scratch.path)
    _ = try inspect("a.json")
    #expect(watch.opened() == ["a.json"])
  }

  @Test("A trigger of 64 KiB is not too large")
  func largest() throws {
    let frame = #"{"channel_id":7}"#
    try scratch.write("a.json", frame + String(repeating: " ", count: 64 * 1024 - frame.utf8.count))
    #expect(try inspect("a.json").isSettled)
  }

  @Test(
    "A second name makes a file invalid only after the time to settle, because `ln` and `rm` leave it for a while",
    arguments: [(Duration.zero, false), (.seconds(2) - .nanoseconds(1), false), (.seconds(2), true)])
  func hardLink(_ age: Duration, _ isOdd: Bool) throws {
    try scratch.write("a.tmp", #"{"channel_id":7}"#)
    try scratch.hardLink("a.json", to: "a.tmp")
    let inspection = try inspect("a.json", now: changed("a.json") + age)
    #expect(inspection.oddity == (isOdd ? "a hard link" : nil))
    #expect(!inspection.isSettled)
    try scratch.remove("a.tmp")
    #expect(try inspect("a.json").isSettled)
  }

  @Test(
    "A file whose name is too long to be claimed is invalid",
    arguments: [(TriggerName.lengthLimit, false), (TriggerName.lengthLimit + 1, true), (255, true)])
  func longName(_ length: Int, _ isOdd: Bool) throws {
    let name = String(repeating: "n", count: length - 5) + ".json"
    try scratch.write(name, "7")
    #expect(try inspect(name).oddity == (isOdd ? "its name is longer than 231 bytes" : nil))
  }

  @Test("A claimed file is judged by the trigger's own name")
  func claimed() throws {
    try scratch.write("1.1.7.json", "")
    let inspection = try Inspector(directory, SettleRules(settle: settle)).inspect(
      FileName("1.1.7.json"), of: FileName("7.json"), now: .now() + settle)
    guard case .settled(let trigger, _) = inspection else { throw Failure("settled, not \(inspection)") }
    #expect(trigger.name == FileName("7.json"))
    #expect(trigger.channels == .success([.id(7)]))
  }

  @Test("A file whose name is not valid UTF-8 is a trigger like any other")
  func invalidName() throws {
    let name = FileName(bytes: [0xFF] + Array(".json".utf8))
    try scratch.write(name, bytes: Array("7".utf8))
    #expect(try Inspector(directory, SettleRules(settle: settle)).inspect(name, now: .now()).isSettled)
  }
}

extension Inspection {
  fileprivate var isSettled: Bool { if case .settled = self { true } else { false } }

  fileprivate var isUnsettled: Bool { if case .unsettled = self { true } else { false } }

  /// Why the file is not a trigger; nil for a trigger.
  fileprivate var oddity: String? { if case .invalid(let reason, _) = self { reason.text } else { nil } }
}
