import Posix
import Spool
import TestSupport
import Testing

@Suite("Names of triggers", .alone)
struct TriggerNameTests {
  static let triggers: [(String, Bool)] = [
    ("7.json", true), ("a.json", true), (" .json", true), ("a.b.json", true), ("-.json", true),
    ("a\n.json", true),
    ("ä.json", true), (".json", false), ("..json", false), (".a.json", false), ("...json", false),
    ("a.JSON", false),
    ("a.json~", false), ("a.json.tmp", false), ("json", false), ("ajson", false), ("", false), (".", false),
    ("a", false),
    ("a.json5", false), ("README.md", false), ("history.jsonl", false), (".bobbin-1-2-3.json", false),
    ("x.json.json", true), ("json.json", true),
  ]

  @Test("The name of a trigger ends in .json and does not begin with a full stop", arguments: triggers)
  func isTrigger(_ name: String, _ expected: Bool) {
    #expect(TriggerName.isTrigger(Array(name.utf8)) == expected)
  }

  @Test(
    "A name that is nearly a trigger's has the name that was meant; other names and names of triggers have none",
    arguments: [
      ("cats.JSON", "cats.json"), ("cats.Json", "cats.json"), ("cats.json.txt", "cats.json"),
      ("Cats.JSON.TXT", "Cats.json"), ("cats.json ", "cats.json"), ("cats.json.", "cats.json"),
      ("cats.json .txt", "cats.json"), ("a b.json. ", "a b.json"),
      ("cats.json", nil), ("cats.json.json", nil), (".cats.JSON", nil), (".JSON", nil), ("cats.txt", nil),
      ("cats", nil), ("cats.json~", nil), ("cats.json.tmp", nil), ("cats.json.part", nil),
      ("history.jsonl", nil), ("README.md", nil), ("scheduler.lock", nil), ("", nil),
    ] as [(String, String?)])
  func intended(_ name: String, _ meant: String?) {
    #expect(TriggerName.intended(by: FileName(name)) == meant.map { FileName($0) })
  }

  @Test("Names of triggers need not be UTF-8")
  func invalid() { #expect(TriggerName.isTrigger([0xFF] + Array(".json".utf8))) }

  static let channels: [(String, ChannelReference?)] = [
    ("7.json", .id(7)), ("cats.json", .name("cats")), ("0.json", .id(0)), ("007.json", .id(7)),
    ("a.b.json", .name("a.b")),
    ("x.json.json", .name("x.json")), ("my cats.json", .name("my cats")), ("-7.json", .name("-7")),
    ("20260131T103000Z-7.json", .id(7)), ("20260131T103000.123456Z-7.json", .id(7)),
    ("20260131T103000Z-cats.json", .name("cats")), ("20260131T103000.5Z--7.json", .name("-7")),
    ("20260131T103000Z-20260131T103000Z-7.json", .name("20260131T103000Z-7")),
    // Names without a time, or with nothing after it.
    ("20260131T103000Z.json", .name("20260131T103000Z")),
    ("20260131T103000-7.json", .name("20260131T103000-7")),
    ("20260230T103000Z-7.json", .name("20260230T103000Z-7")), ("2026-7.json", .name("2026-7")),
    ("20260131T103000Z7.json", .name("20260131T103000Z7")), ("20260131T103000Z-.json", nil),
    ("a\n.json", nil), ("a\u{202E}.json", nil), ("a\u{7F}.json", nil),
    ("99999999999999999999.json", .name("99999999999999999999")),
  ]

  @Test(
    "The name of an empty trigger gives the channel, with or without a time before it", arguments: channels)
  func channel(_ name: String, _ expected: ChannelReference?) {
    #expect(TriggerName.channel(in: FileName(name)) == expected)
  }

  @Test("A name that is not UTF-8 does not give a channel")
  func invalidChannel() {
    #expect(TriggerName.channel(in: FileName(bytes: [0xFF] + Array(".json".utf8))) == nil)
  }

  @Test(
    "The name of a trigger may begin with the time of the request",
    arguments: [
      ("20260131T103000Z-7.json", Timestamp(seconds: 1_769_855_400)),
      ("20260131T103000.123456Z-7.json", Timestamp(seconds: 1_769_855_400, nanoseconds: 123_456_000)),
      ("20260131T103000Z.json", Timestamp(seconds: 1_769_855_400)), ("7.json", nil), ("20260131.json", nil),
    ])
  func time(_ name: String, _ expected: Timestamp?) {
    #expect(TriggerName.time(in: FileName(name)) == expected)
  }

  @Test("A name that is made from a time and an id gives both again")
  func make() {
    let requestedAt = Timestamp(seconds: 1_769_855_400, nanoseconds: 123_456_000)
    let name = TriggerName.make(requestedAt, channel: 42)
    #expect(name.description == "20260131T103000.123456Z-42.json")
    #expect(TriggerName.time(in: name) == requestedAt)
    #expect(TriggerName.channel(in: name) == .id(42))
    #expect(TriggerName.isTrigger(name.bytes))
  }
}
