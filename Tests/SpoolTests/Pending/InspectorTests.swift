import Foundation
import Posix
import Spool
import TestSupport
import Testing

@Suite("Looking at files in the spool", .alone)
struct InspectorTests {
  let scratch: TemporaryDirectory
  let directory: Directory
  private let settle: Duration = .seconds(2)

  init() throws {
    scratch = try TemporaryDirectory()
    directory = try scratch.open()
  }

  private func inspect(_ name: String, now: Timestamp = .now()) throws -> Inspection {
    try Inspector(directory, settle: settle).inspect(FileName(name), now: now)
  }

  private func changed(_ name: String) throws -> Timestamp {
    try #require(try directory.status(of: FileName(name))).changed
  }

  @Test("An object is complete at once, also while it is open for writing")
  func object() throws {
    try scratch.write("a.json", #"{"channel_id":7}"#)
    let writer = try directory.open(FileName("a.json"), .append)
    #expect(try inspect("a.json").isSettled)
    _ = writer.number
  }

  @Test(
    "Anything else may be half written as long as somebody has it open for writing, and is final right after",
    arguments: ["", "7", "\"cats\"", #"{"channel_id":7"#, "{", "nonsense", " "])
  func writing(_ text: String) throws {
    try scratch.write("a.json", text)
    do {
      let writer = try directory.open(FileName("a.json"), .append)
      // However long ago it changed.
      guard case .unsettled = try inspect("a.json", now: .now() + .seconds(3_600)) else {
        Issue.record("unsettled, not \(try inspect("a.json"))")
        return
      }
      _ = writer.number
    }
    #expect(try inspect("a.json").isSettled)
  }

  @Test("A text that has grown to an object is one")
  func growing() throws {
    let writer = try directory.open(FileName("a.json"), .append)
    try writer.write(Array(#"{"channel"#.utf8))
    #expect(try !inspect("a.json").isSettled)
    try writer.write(Array(#"_id":7}"#.utf8))
    #expect(try inspect("a.json").isSettled)
  }

  @Test(
    "Where the kernel does not tell, a file is final when it has not changed for the time to settle",
    arguments: [
      (Duration.seconds(2), true), (.seconds(2) - .nanoseconds(1), false), (.zero, false),
      (.seconds(9_999), true),
      // The clock was set back: a change in the future says nothing.
      (.seconds(-2), false), (.seconds(-2) - .nanoseconds(1), true),
    ])
  func unknown(_ age: Duration, _ isSettled: Bool) throws {
    // A file of root's, inspected by another user, who is refused a lease.
    let etc = try Directory(path: "/etc")
    let status = try #require(try etc.status(of: FileName("passwd")))
    try #require(status.owner == 0 && status.links == 1)
    let inspection = try asOrdinaryUser {
      try Inspector(etc, settle: settle).inspect(FileName("passwd"), now: status.changed + age)
    }
    #expect(inspection.isSettled == isSettled)
    #expect(inspection.isUnsettled == !isSettled)
  }

  @Test("What the batch may not read is not a trigger")
  func unreadable() throws {
    let reason = try asOrdinaryUser {
      try Inspector(Directory(path: "/etc"), settle: settle).inspect(FileName("shadow"), now: .now()).oddity
    }
    #expect(reason?.hasPrefix("may not be read by the batch's user (uid ") == true)
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
    default: throw Failure("\(kind) is known")
    }
  }

  @Test("What is not a plain small file is odd, and is never opened", arguments: oddities)
  func odd(_ kind: String, _ reason: String) throws {
    try make(kind)
    let watch = try OpenWatch(scratch.path)
    #expect(try inspect("a.json").oddity == reason)
    #expect(watch.opened() == [])
    // Whatever time passes.
    #expect(try inspect("a.json", now: .now() + .seconds(9_999)).oddity == reason)
  }

  @Test("The watch of the test above sees a file that is opened")
  func watch() throws {
    try scratch.write("a.json", "7")
    let watch = try OpenWatch(scratch.path)
    _ = try inspect("a.json")
    #expect(watch.opened() == ["a.json"])
  }

  @Test("64 KiB are not too many")
  func largest() throws {
    let frame = #"{"channel_id":7}"#
    try scratch.write("a.json", frame + String(repeating: " ", count: 64 * 1024 - frame.utf8.count))
    #expect(try inspect("a.json").isSettled)
  }

  @Test(
    "A second name is given the time to settle to go away, as `ln` and `rm` do",
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
    "A name too long to be claimed is odd",
    arguments: [(TriggerName.lengthLimit, false), (TriggerName.lengthLimit + 1, true), (255, true)])
  func longName(_ length: Int, _ isOdd: Bool) throws {
    let name = String(repeating: "n", count: length - 5) + ".json"
    try scratch.write(name, "7")
    #expect(try inspect(name).oddity == (isOdd ? "its name is longer than 231 bytes" : nil))
  }

  @Test("A claimed file is judged by the trigger's own name")
  func claimed() throws {
    try scratch.write("1.1.7.json", "")
    let inspection = try Inspector(directory, settle: settle).inspect(
      FileName("1.1.7.json"), of: FileName("7.json"), now: .now())
    guard case .settled(let trigger) = inspection else { throw Failure("settled, not \(inspection)") }
    #expect(trigger.name == FileName("7.json"))
    #expect(trigger.channels == .success([.id(7)]))
  }

  @Test("A name that is not valid UTF-8 is a trigger like any other")
  func invalidName() throws {
    let name = FileName(bytes: [0xFF] + Array(".json".utf8))
    try scratch.write(name, bytes: Array("7".utf8))
    #expect(try Inspector(directory, settle: settle).inspect(name, now: .now()).isSettled)
  }
}

extension Inspection {
  fileprivate var isSettled: Bool { if case .settled = self { true } else { false } }

  fileprivate var isUnsettled: Bool { if case .unsettled = self { true } else { false } }

  /// Why it is not a trigger; nil for a trigger.
  fileprivate var oddity: String? { if case .invalid(let reason, _) = self { reason.text } else { nil } }
}
