import Posix
import Spool
import TestSupport
import Testing

/// The content of a trigger file, in a form that is short to write and to compare.
enum Content: Equatable {
  case empty
  case scalar(ChannelReference)
  case object([ChannelReference], String?, Timestamp?)
  case invalid(String)

  init(_ content: TriggerContent) {
    switch content {
    case .empty: self = .empty
    case .scalar(let channel): self = .scalar(channel)
    case .object(let request): self = .object(request.channels, request.user, request.timestamp)
    case .invalid(let reason): self = .invalid(reason)
    }
  }
}

@Suite("What a trigger file says", .alone)
struct TriggerContentTests {
  private static func object(
    _ channels: [ChannelReference], user: String? = nil, timestamp: Timestamp? = nil
  ) -> Content { .object(channels, user, timestamp) }

  static let accepted: [(String, Content)] = [
    ("", .empty), (" \n\t\r\n", .empty), ("\u{FEFF}", .empty), ("\u{FEFF}\n", .empty),
    ("123", .scalar(.id(123))), ("123\n", .scalar(.id(123))), (" 7 ", .scalar(.id(7))),
    ("0", .scalar(.id(0))),
    ("-5", .scalar(.id(-5))), ("9223372036854775807", .scalar(.id(.max))), ("\u{FEFF}7", .scalar(.id(7))),
    ("\"cats\"", .scalar(.name("cats"))), ("\"\"", .scalar(.name(""))), ("\"7\"", .scalar(.name("7"))),
    ("\"\\u00e4\"", .scalar(.name("ä"))), ("\"\u{1F431}\"", .scalar(.name("\u{1F431}"))),
    ("\"\\ud83d\\udc31\"", .scalar(.name("\u{1F431}"))), ("\"a\\/b\"", .scalar(.name("a/b"))),
    (#"{"channel_id":123}"#, object([.id(123)])), (#"{"channel":"cats"}"#, object([.name("cats")])),
    (#"  { "channel_id" : 7 }  "#, object([.id(7)])), ("\u{FEFF}{\"channel_id\":7}", object([.id(7)])),
    (#"{"channel_id":7,"channel":"cats"}"#, object([.id(7), .name("cats")])),
    (#"{"channel":"7"}"#, object([.name("7")])), (#"{"channel_id":-1}"#, object([.id(-1)])),
    (
      #"{"channel_id":123,"user":"manual","timestamp":"2025-10-05T10:30:00Z"}"#,
      object([.id(123)], user: "manual", timestamp: Timestamp(seconds: 1_759_660_200))
    ),
    (#"{"channel_id":7,"user":"anna \ud83d\udc31"}"#, object([.id(7)], user: "anna \u{1F431}")),
    (#"{"channel_id":7,"user":null,"timestamp":null,"channel":null}"#, object([.id(7)])),
    (#"{"channel_id":7,"user":""}"#, object([.id(7)], user: "")),
    // Unknown fields are ignored, whatever they hold.
    (#"{"channel_id":7,"note":"a\u0007b\n","x":[1,{"y":null}],"":{}}"#, object([.id(7)])),
    (#"{"CHANNEL_ID":8,"channel_id":7}"#, object([.id(7)])),
  ]

  @Test("What a trigger file says is an object, a scalar or nothing", arguments: accepted)
  func accept(_ text: String, _ expected: Content) {
    #expect(Content(TriggerContent(Array(text.utf8))) == expected)
  }

  private static let notJSON = Content.invalid("not valid JSON, or an id that is no whole number")
  private static let noChannel = Content.invalid(#"names no channel: "channel_id" or "channel" is required"#)
  private static let otherKind = Content.invalid(
    "neither a JSON object, a channel id nor a channel name in quotation marks")
  private static let notUTF8 = Content.invalid("not UTF-8 text")

  private static func control(_ field: String) -> Content {
    .invalid("\"\(field)\" contains a control character")
  }

  static let refused: [(String, Content)] = [
    ("{", notJSON), (#"{"channel_id":7"#, notJSON), (#"{"channel_id":}"#, notJSON),
    (#"{channel_id:7}"#, notJSON),
    (#"{'channel_id':7}"#, notJSON), (#"{"channel_id":7} // x"#, notJSON),
    (#"{"channel_id":7}{"channel_id":8}"#, notJSON), (#"{"channel_id":7} 8"#, notJSON), ("7 8", notJSON),
    ("7,", notJSON), ("\"a\" \"b\"", notJSON), ("\"a", notJSON), ("\"", notJSON), ("07", notJSON),
    ("-", notJSON),
    ("0x7", notJSON), (#""\ud800""#, notJSON), (#""\ud800\u0041""#, notJSON),
    (#""\x41""#, notJSON),
    ("\"a\nb\"", notJSON),
    ("{}", noChannel), (#"{"user":"anna"}"#, noChannel), (#"{"channel_id":null}"#, noChannel),
    (#"{"channel_id":null,"channel":null}"#, noChannel), (#"{"Channel_ID":7}"#, noChannel),
    ("null", otherKind), ("true", otherKind), ("false", otherKind), ("[]", otherKind), ("[7]", otherKind),
    ("cats", otherKind), ("+7", otherKind), (".5", otherKind), ("NaN", otherKind), ("# 7", otherKind),
    ("\u{FEFF}\u{FEFF}7", otherKind), ("\u{A0}7", otherKind), ("'cats'", otherKind),
    (#"{"channel_id":"7"}"#, .invalid(#""channel_id" must be an integer"#)),
    (#"{"channel_id":true}"#, .invalid(#""channel_id" must be an integer"#)),
    (#"{"channel_id":[7]}"#, .invalid(#""channel_id" must be an integer"#)),
    (#"{"channel":7}"#, .invalid(#""channel" must be a string"#)),
    (#"{"channel":{}}"#, .invalid(#""channel" must be a string"#)),
    (#"{"channel_id":7,"user":5}"#, .invalid(#""user" must be a string"#)),
    (#"{"channel_id":7,"timestamp":1759660200}"#, .invalid(#""timestamp" must be a string"#)),
    (
      #"{"channel_id":7,"timestamp":"yesterday"}"#,
      .invalid(#""timestamp" is not a time such as 2025-10-05T10:30:00Z"#)
    ),
    (
      #"{"channel_id":7,"timestamp":""}"#,
      .invalid(#""timestamp" is not a time such as 2025-10-05T10:30:00Z"#)
    ),
    (
      #"{"channel_id":7,"timestamp":"0000-01-01T00:00:00+01:00"}"#,
      .invalid(#""timestamp" is not a time such as 2025-10-05T10:30:00Z"#)
    ),
    // Control characters and marks that reorder text, in every field that is used.
    (#"{"channel":"a\u0000b"}"#, control("channel")), (#"{"channel":"a\nb"}"#, control("channel")),
    (#"{"channel":"a\u001bb"}"#, control("channel")), (#"{"channel":"a\u007f"}"#, control("channel")),
    (#"{"channel":"a\u0085"}"#, control("channel")), (#"{"channel":"a\u2028"}"#, control("channel")),
    (#"{"channel":"a\u202eb"}"#, control("channel")), ("{\"channel\":\"a\u{202E}b\"}", control("channel")),
    (#"{"channel":"a\u2066b"}"#, control("channel")), (#"{"channel":"a\ufeffb"}"#, control("channel")),
    (#"{"channel_id":7,"user":"a\tb"}"#, control("user")),
    (#"{"channel_id":7,"timestamp":"2025-10-05T10:30:00Z\u0000"}"#, control("timestamp")),
    (#""a\u202eb""#, control("channel")), (#""a\u0007""#, control("channel")),
  ]

  @Test("What a trigger file says is refused with its reason when it is anything else", arguments: refused)
  func refuse(_ text: String, _ expected: Content) {
    #expect(Content(TriggerContent(Array(text.utf8))) == expected)
  }

  static let otherEncodings: [(String, [UInt8])] = [
    ("UTF-16 with a mark, little end first", [0xFF, 0xFE, 0x37, 0x00]),
    ("UTF-16 with a mark, big end first", [0xFE, 0xFF, 0x00, 0x37]),
    ("Latin-1", Array("{\"channel\":\"".utf8) + [0xE4, 0x22, 0x7D]),
    ("an encoded surrogate", [0x22, 0xED, 0xA0, 0x80, 0x22]),
    ("an overlong form", [0x22, 0xC0, 0x80, 0x22]),
    ("zeros after a number", [0x37, 0x00, 0x00]),
    ("a zero", [0x00]),
    ("beyond Unicode", [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22]),
  ]

  @Test("What a trigger file says is UTF-8", arguments: otherEncodings)
  func encoding(_ name: String, _ bytes: [UInt8]) {
    #expect(Content(TriggerContent(bytes)) == Self.notUTF8, "\(name)")
  }

  static let otherNumbers: [String] = [
    "7.5", "1e400", "-1e400", "1e-5", "9223372036854775808", "-9223372036854775809",

  ]

  @Test("What a trigger file says has ids of 64 bits and no other numbers", arguments: otherNumbers)
  func number(_ number: String) {
    #expect(Content(TriggerContent(Array(number.utf8))) == Self.notJSON)
    #expect(Content(TriggerContent(Array("{\"channel_id\":\(number)}".utf8))) == Self.notJSON)
  }

  @Test(
    "What a trigger file says is not guessed to be UTF-16 or UTF-32 without a mark",
    arguments: [
      [0x37, 0x00], [0x37, 0x00, 0x00, 0x00], [0x00, 0x37], [0x7B, 0x00, 0x7D, 0x00],
      [0x00, 0x00, 0x00, 0x37],
    ])
  func unmarked(_ bytes: [UInt8]) { #expect(isInvalid(bytes)) }

  private func isInvalid(_ bytes: [UInt8]) -> Bool {
    if case .invalid = TriggerContent(bytes) { true } else { false }
  }

  @Test(
    "What a trigger file says has at most 64 KiB", arguments: [(64 * 1024, true), (64 * 1024 + 1, false)])
  func size(_ size: Int, _ isAccepted: Bool) {
    let frame = Array(#"{"channel_id":7,"x":""}"#.utf8)
    let bytes = frame.dropLast(2) + [UInt8](repeating: 0x78, count: size - frame.count) + frame.suffix(2)
    #expect(
      Content(TriggerContent(Array(bytes)))
        == (isAccepted ? .object([.id(7)], nil, nil) : .invalid("larger than 64 KiB")))
    let spaces = [UInt8](repeating: 0x20, count: size)
    #expect(Content(TriggerContent(spaces)) == (isAccepted ? .empty : .invalid("larger than 64 KiB")))
  }

  @Test("What a trigger file says nests deeply without harm", arguments: [("[", "]"), ("{\"a\":", "}")])
  func nesting(_ open: String, _ close: String) {
    for depth in [10, 500, 5_000, 10_000] {
      let inner = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
      let content = Content(TriggerContent(Array("{\"channel_id\":7,\"x\":\(inner)}".utf8)))
      #expect(content == (depth <= 500 ? .object([.id(7)], nil, nil) : Self.notJSON), "\(depth) levels")
    }
  }

  @Test(
    "What a trigger file says has fields of at most 1,024 bytes", arguments: [(1_024, true), (1_025, false)])
  func fieldLength(_ length: Int, _ isAccepted: Bool) {
    let name = String(repeating: "n", count: length)
    let content = Content(TriggerContent(Array("{\"channel\":\"\(name)\"}".utf8)))
    #expect(
      content
        == (isAccepted ? .object([.name(name)], nil, nil) : .invalid("\"channel\" is longer than 1024 bytes"))
    )
  }

  @Test("What a trigger file says with a key twice names one channel of the two, never both or none")
  func duplicateKeys() {
    let content = Content(TriggerContent(Array(#"{"channel_id":7,"channel_id":8}"#.utf8)))
    #expect(content == .object([.id(7)], nil, nil) || content == .object([.id(8)], nil, nil))
  }

  @Test(
    "A channel is an id when it is all digits, else a name",
    arguments: [
      ("7", ChannelReference.id(7)), ("007", .id(7)), ("cats", .name("cats")), ("", .name("")),
      ("-7", .name("-7")),
      ("+7", .name("+7")), ("7 ", .name("7 ")), ("٧", .name("٧")), ("7a", .name("7a")),
      ("99999999999999999999", .name("99999999999999999999")),
    ])
  func reference(_ text: String, _ expected: ChannelReference) {
    #expect(ChannelReference(text: text) == expected)
  }

  @Test("A channel is shown without what disturbs a terminal")
  func description() {
    #expect(ChannelReference.id(7).description == "7")
    #expect(ChannelReference.name("a\u{1B}b").description == #""a\u{1b}b""#)
  }
}
