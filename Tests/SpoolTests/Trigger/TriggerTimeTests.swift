import Posix
import Spool
import TestSupport
import Testing

@Suite("The request time of a trigger", .alone)
struct TriggerTimeTests {
  let scratch: TemporaryDirectory

  init() throws { scratch = try TemporaryDirectory() }

  /// A trigger whose file was changed now, and modified at another time.
  private func trigger(_ name: String, _ text: String, modified age: Duration = .zero) throws -> Trigger {
    try scratch.write(name, text, age: age)
    let status = try #require(try scratch.open().status(of: FileName(name)))
    return Trigger(name: FileName(name), file: status, bytes: Array(text.utf8))
  }

  private static let stated = #"{"channel_id":7,"timestamp":"2025-10-05T10:30:00Z"}"#
  private static let statedTime = Timestamp(seconds: 1_759_660_200)
  private static let named = "20260131T103000.5Z-7.json"
  private static let namedTime = Timestamp(seconds: 1_769_855_400, nanoseconds: 500_000_000)

  @Test(
    "The timestamp takes precedence over the time in the name, and that over the file's time",
    arguments: [
      (named, stated, statedTime), ("7.json", stated, statedTime), (named, "", namedTime),
      (named, "7", namedTime),
      (named, #"{"channel_id":7}"#, namedTime), (named, "broken", namedTime),
    ])
  func order(_ name: String, _ text: String, _ expected: Timestamp) throws {
    #expect(try trigger(name, text, modified: .seconds(50)).requestedAt == expected)
  }

  @Test(
    "A trigger without either was requested when its file was last modified",
    arguments: ["", "7", "\"cats\"", "{\"channel_id\":7}", "{"])
  func modified(_ text: String) throws {
    let trigger = try trigger("7.json", text, modified: .seconds(5_000))
    #expect(trigger.requestedAt == trigger.file.modified)
    #expect(trigger.file.changed - trigger.requestedAt > .seconds(4_000))
  }

  @Test("A time in the future is replaced by the file's change time, which nobody can set")
  func future() throws {
    let texts = [#"{"channel_id":7,"timestamp":"9999-12-31T23:59:59Z"}"#, #"{"channel_id":7}"#, ""]
    for (name, text) in zip(["7.json", "99991231T235959Z-7.json", "8.json"], texts) {
      let trigger = try trigger(name, text, modified: .seconds(-5_000))
      #expect(trigger.requestedAt == trigger.file.changed, "\(name)")
    }
  }

  @Test(
    "A trigger is stale when it is older than the limit, not when it is exactly as old",
    arguments: [
      (Duration.seconds(1_800), false), (.seconds(1_800) + .nanoseconds(1), true),
      (.seconds(1_800) - .nanoseconds(1), false),
      (.zero, false), (.seconds(-5), false), (.seconds(999_999), true),
    ])
  func stale(_ age: Duration, _ expected: Bool) throws {
    let trigger = try trigger("7.json", Self.stated)
    #expect(trigger.isStale(asOf: Self.statedTime + age, after: .seconds(1_800)) == expected)
    #expect(!trigger.isStale(asOf: Self.statedTime + age, after: nil))
  }

  @Test("The channel of a trigger comes from its content, or from its name when it is empty")
  func channels() throws {
    #expect(try trigger("cats.json", "").channels == .success([.name("cats")]))
    #expect(try trigger("cats.json", "7").channels == .success([.id(7)]))
    #expect(
      try trigger("cats.json", #"{"channel_id":7,"channel":"dogs"}"#).channels
        == .success([.id(7), .name("dogs")]))
    #expect(
      try trigger("a\n.json", "").channels
        == .failure(RejectReason("empty, and its name does not state a channel")))
    #expect(
      try trigger("cats.json", "{").channels
        == .failure(RejectReason("not valid JSON: line 1, column 1: this { is never closed")))
  }

  @Test("Only an object can name the user")
  func user() throws {
    #expect(try trigger("a.json", #"{"channel_id":7,"user":"anna"}"#).user == "anna")
    #expect(try trigger("a.json", "7").user == nil)
    #expect(try trigger("a.json", "").user == nil)
  }
}
