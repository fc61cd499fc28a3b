import Posix
import Spool
import TestSupport
import Testing

/// The content of a trigger file, in a form that is short to write and to compare.
enum Content: Equatable {
  case empty
  case scalar(ChannelReference)
  case object([ChannelReference], String?, WrittenTime?, warnings: Int)
  case invalid(String)

  init(_ content: TriggerContent) {
    switch content {
    case .empty: self = .empty
    case .scalar(let channel): self = .scalar(channel)
    case .object(let request):
      self = .object(request.channels, request.user, request.timestamp, warnings: request.warnings.count)
    case .invalid(let reason): self = .invalid(reason)
    }
  }

  var reason: String? { if case .invalid(let reason) = self { reason } else { nil } }

  /// The reason without the place in the text.
  var withoutPlace: Content {
    reason.map { .invalid(String($0.prefix(while: { $0 != ":" }))) } ?? self
  }
}

@Suite("The content of a trigger", .alone)
struct TriggerContentTests {
  private static func object(
    _ channels: [ChannelReference], user: String? = nil, timestamp: Int64? = nil, warnings: Int = 0
  ) -> Content {
    .object(channels, user, timestamp.map { .instant(Timestamp(seconds: $0)) }, warnings: warnings)
  }

  static let accepted: [(String, Content)] = [
    ("", .empty), (" \n\t\r\n", .empty), ("\u{FEFF}", .empty), ("\u{FEFF}\n", .empty), ("\u{1E}\n", .empty),
    ("123", .scalar(.id(123))), ("123\n", .scalar(.id(123))), (" 7 ", .scalar(.id(7))),
    ("007", .scalar(.id(7))),
    ("0", .scalar(.id(0))), ("999999999999999999", .scalar(.id(999_999_999_999_999_999))),
    ("\u{FEFF}7", .scalar(.id(7))),
    // A bare word, as `echo` writes it.
    ("cats", .scalar(.name("cats"))), ("cats\r\n", .scalar(.name("cats"))),
    ("3blue1brown", .scalar(.name("3blue1brown"))),
    ("кошки", .scalar(.name("кошки"))), ("-5", .scalar(.name("-5"))), ("7.5", .scalar(.name("7.5"))),
    ("cats\u{1A}", .scalar(.name("cats"))), ("\u{1E}7\n", .scalar(.id(7))), ("7\r\n\u{1A}", .scalar(.id(7))),
    ("\"cats\"", .scalar(.name("cats"))), ("'my cats'", .scalar(.name("my cats"))),
    ("\"\"", .scalar(.name(""))),
    ("\"7\"", .scalar(.id(7))),
    ("\"\\u00e4\"", .scalar(.name("ä"))), ("\"\u{1F431}\"", .scalar(.name("\u{1F431}"))),
    ("\"\\ud83d\\udc31\"", .scalar(.name("\u{1F431}"))), ("\"a\\/b\"", .scalar(.name("a/b"))),
    (#"{"channel_id":123}"#, object([.id(123)])), (#"{"channel":"cats"}"#, object([.name("cats")])),
    (#"  { "channel_id" : 7 }  "#, object([.id(7)])), ("\u{FEFF}{\"channel_id\":7}", object([.id(7)])),
    (#"{"channel_id":7,"channel":"cats"}"#, object([.id(7), .name("cats")])),
    // Either field may hold either kind.
    (#"{"channel_id":"7"}"#, object([.id(7)])), (#"{"channel_id":"cats"}"#, object([.name("cats")])),
    (#"{"channel":"7"}"#, object([.id(7)])), (#"{"channel":7}"#, object([.id(7)])),
    (#"{"channel_id":7.0}"#, object([.id(7)])), (#"{"channel_id":-1}"#, object([.id(-1)])),
    (#"[{"channel_id":7}]"#, object([.id(7)])), ("[\n {channel: 'cats'},\n]", object([.name("cats")])),
    // JSON5, as in the configuration.
    ("{channel: 'cats',}", object([.name("cats")])), ("// now\n{channel_id: 7} // x", object([.id(7)])),
    ("{'channel_id':0x7}", object([.id(7)])),
    (
      #"{"channel_id":123,"user":"manual","timestamp":"2025-10-05T10:30:00Z"}"#,
      object([.id(123)], user: "manual", timestamp: 1_759_660_200)
    ),
    (#"{"channel_id":7,"timestamp":" 2025-10-05T10:30:00Z\n"}"#, object([.id(7)], timestamp: 1_759_660_200)),
    (#"{"channel_id":7,"timestamp":1759660200}"#, object([.id(7)], timestamp: 1_759_660_200)),
    (#"{"channel_id":7,"timestamp":"1759660200000"}"#, object([.id(7)], timestamp: 1_759_660_200)),
    (#"{"channel_id":7,"timestamp":1759660200.0}"#, object([.id(7)], timestamp: 1_759_660_200)),
    (#"{"channel_id":7,"user":"anna \ud83d\udc31"}"#, object([.id(7)], user: "anna \u{1F431}")),
    (#"{"channel_id":7,"user":null,"timestamp":null,"channel":null}"#, object([.id(7)])),
    (#"{"channel_id":7,"user":""}"#, object([.id(7)], user: "")),
    (#"{"channel_id":7,"user":1000}"#, object([.id(7)], user: "1000")),
    (#"{"channel_id":7,"user":1000.5}"#, object([.id(7)], user: "1000.5")),
    // Unknown fields are ignored, whatever their values are.
    (#"{"channel_id":7,"note":"a\u0007b\n","x":[1,{"y":null}],"":{}}"#, object([.id(7)])),
    (#"{"CHANNEL_ID":8,"channel_id":7}"#, object([.id(7)])),
  ]

  @Test("The content of a trigger is an object, a scalar or empty", arguments: accepted)
  func accept(_ text: String, _ expected: Content) {
    #expect(Content(TriggerContent(Array(text.utf8))) == expected)
  }

  static let partlyUsed: [String] = [
    #"{"channel_id":7,"user":true}"#, #"{"channel_id":7,"user":["anna"]}"#,
    #"{"channel_id":7,"user":"a\tb"}"#,
    #"{"channel_id":7,"user":"a\u001b[2J"}"#, #"{"channel_id":7,"timestamp":"yesterday"}"#,
    #"{"channel_id":7,"timestamp":""}"#, #"{"channel_id":7,"timestamp":{}}"#,
    #"{"channel_id":7,"timestamp":-1}"#,
    #"{"channel_id":7,"timestamp":"0000-01-01T00:00:00+01:00"}"#,
    #"{"channel_id":7,"timestamp":"2025-10-05T10:30:00Z\u0001"}"#,
  ]

  @Test("An optional field that is not understood is left out with a warning", arguments: partlyUsed)
  func leaveOut(_ text: String) {
    #expect(Content(TriggerContent(Array(text.utf8))) == Self.object([.id(7)], warnings: 1))
  }

  @Test("A user name of more than 1,024 bytes is left out with a warning")
  func longUser() {
    let text = #"{"channel_id":7,"user":"\#(String(repeating: "n", count: 1_025))"}"#
    #expect(Content(TriggerContent(Array(text.utf8))) == Self.object([.id(7)], warnings: 1))
  }

  private static let noChannel = Content.invalid(
    #"does not name a channel: "channel_id" or "channel" is required"#)
  private static let otherKind = Content.invalid(
    "neither an object in braces, a channel's id nor its name (a name with spaces goes in quotation marks)")
  private static let otherEncoding = Content.invalid("neither UTF-8 text nor UTF-16 text with a mark")

  private static func control(_ field: String) -> Content {
    .invalid("\"\(field)\" contains a control character")
  }

  private static func notJSON(_ reason: String) -> Content { .invalid("not valid JSON: \(reason)") }

  private static func neither(_ field: String, _ kind: String) -> Content {
    .invalid("\"\(field)\" must be an id or a name, not \(kind)")
  }

  static let refused: [(String, Content)] = [
    ("{", notJSON("line 1, column 1: this { is never closed")),
    (#"{"channel_id":7"#, notJSON("line 1, column 1: this { is never closed")),
    (#"{"channel_id":}"#, notJSON("line 1, column 15: a value is missing before }")),
    ("{\"channel_id\": 7\n \"user\": 8}", notJSON("line 2, column 2: expected , or }, found \"")),
    (
      #"{"channel_id":7}{"channel_id":8}"#,
      notJSON("line 1, column 17: there is text after the end of the trigger")
    ),
    (#"{"channel_id":7} 8"#, notJSON("line 1, column 18: there is text after the end of the trigger")),
    ("\"a\" \"b\"", notJSON("line 1, column 5: there is text after the end of the trigger")),
    ("\"a", notJSON("line 1, column 1: this quote is never closed")),
    (
      #""\ud800""#,
      notJSON("line 1, column 1: the text contains a bad escape, a bare line break or a control character")
    ),
    (
      "\"a\nb\"",
      notJSON("line 1, column 1: the text contains a bad escape, a bare line break or a control character")
    ),
    ("{\"channel_id\": seven}", notJSON("line 1, column 16: \"seven\" is not a value")),
    ("{}", noChannel), (#"{"user":"anna"}"#, noChannel), (#"{"channel_id":null}"#, noChannel),
    (#"{"channel_id":null,"channel":null}"#, noChannel), (#"{"Channel_ID":7}"#, noChannel),
    ("[]", .invalid("an array; one object is a trigger")),
    ("[7]", .invalid("an array; one object is a trigger")),
    (#"[{"channel_id":7},{"channel_id":8}]"#, .invalid("an array; one object is a trigger")),
    ("hello world", otherKind), ("7 8", otherKind), ("7,", otherKind), ("# 7", otherKind),
    ("channel_id: 7", otherKind),
    ("cats\ndogs", otherKind), ("\u{A0}7", otherKind), ("a{b", otherKind),
    ("\u{FEFF}\u{FEFF}7", control("channel")), ("ca\u{1}ts", control("channel")),
    (#"{"channel_id":true}"#, neither("channel_id", "true")),
    (#"{"channel_id":[7]}"#, neither("channel_id", "an array")),
    (#"{"channel":{}}"#, neither("channel", "an object")),
    (#"{"channel_id":7.5}"#, neither("channel_id", "the number 7.5")),
    (#"{"channel_id":1e400}"#, neither("channel_id", "an unreadable number")),
    // The decoder would take the first of them and keep silent.
    (#"{"channel_id":7,"channel_id":8}"#, .invalid(#""channel_id" is given twice"#)),
    (#"{"channel_id":7,"user":"a","user":"a"}"#, .invalid(#""user" is given twice"#)),
    (#"{"channel":"cats","chann\u0065l":"dogs"}"#, .invalid(#""channel" is given twice"#)),
    (#"{"channel_id":7,"x":{"y":1,"y":2}}"#, .invalid(#""y" is given twice"#)),
    // Control characters and marks that reorder text.
    (#"{"channel":"a\u0001b"}"#, control("channel")), (#"{"channel":"a\nb"}"#, control("channel")),
    (#"{"channel":"a\u001bb"}"#, control("channel")), (#"{"channel":"a\u007f"}"#, control("channel")),
    (#"{"channel":"a\u0085"}"#, control("channel")), (#"{"channel":"a\u2028"}"#, control("channel")),
    (#"{"channel":"a\u202eb"}"#, control("channel")), ("{\"channel\":\"a\u{202E}b\"}", control("channel")),
    (#"{"channel":"a\u2066b"}"#, control("channel")), (#"{"channel":"a\ufeffb"}"#, control("channel")),
    (#"{"channel_id":"a\tb"}"#, control("channel_id")),
    (#""a\u202eb""#, control("channel")), (#""a\u0007""#, control("channel")),
  ]

  @Test("A text that is anything else is refused with its reason", arguments: refused)
  func refuse(_ text: String, _ expected: Content) {
    #expect(Content(TriggerContent(Array(text.utf8))) == expected)
  }

  static let otherEncodings: [(String, [UInt8])] = [
    ("Latin-1", Array("{\"channel\":\"".utf8) + [0xE4, 0x22, 0x7D]),
    ("an encoded surrogate", [0x22, 0xED, 0xA0, 0x80, 0x22]),
    ("an overlong form", [0x22, 0xC0, 0x80, 0x22]),
    ("zeros after a number", [0x37, 0x00, 0x00]),
    ("a zero", [0x00]),
    ("beyond Unicode", [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22]),
    ("half a UTF-16 unit", [0xFF, 0xFE, 0x37]),
    ("an unpaired surrogate in UTF-16", [0xFF, 0xFE, 0x00, 0xD8]),
    ("UTF-32 with a mark", [0xFF, 0xFE, 0x00, 0x00, 0x37, 0x00, 0x00, 0x00]),
  ]

  @Test("Bytes that are not text are refused", arguments: otherEncodings)
  func encoding(_ name: String, _ bytes: [UInt8]) {
    #expect(Content(TriggerContent(bytes)) == Self.otherEncoding, "\(name)")
  }

  @Test(
    "UTF-16 text with a mark is read, as PowerShell writes it",
    arguments: ["7", "cats\r\n", "{\"channel\":\"käse \u{1F431}\"}\r\n", "", "[{}]"])
  func utf16(_ text: String) {
    let units = Array(("\u{FEFF}" + text).utf16)
    let expected = Content(TriggerContent(Array(text.utf8)))
    #expect(Content(TriggerContent(units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })) == expected)
    #expect(Content(TriggerContent(units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })) == expected)
  }

  @Test(
    "Text is not guessed to be UTF-16 or UTF-32 without a mark",
    arguments: [
      [0x37, 0x00], [0x37, 0x00, 0x00, 0x00], [0x00, 0x37], [0x7B, 0x00, 0x7D, 0x00],
      [0x00, 0x00, 0x00, 0x37],
    ])
  func unmarked(_ bytes: [UInt8]) { #expect(Content(TriggerContent(bytes)) == Self.otherEncoding) }

  @Test("A trigger file has at most 64 KiB", arguments: [(64 * 1024, true), (64 * 1024 + 1, false)])
  func size(_ size: Int, _ isAccepted: Bool) {
    let frame = Array(#"{"channel_id":7,"x":""}"#.utf8)
    let bytes = frame.dropLast(2) + [UInt8](repeating: 0x78, count: size - frame.count) + frame.suffix(2)
    let expected = isAccepted ? Self.object([.id(7)]) : .invalid("larger than 64 KiB")
    #expect(Content(TriggerContent(Array(bytes))) == expected)
    let spaces = [UInt8](repeating: 0x20, count: size)
    #expect(Content(TriggerContent(spaces)) == (isAccepted ? .empty : .invalid("larger than 64 KiB")))
  }

  @Test("Values that nest deeply are refused without harm", arguments: [("[", "]"), ("{\"a\":", "}")])
  func nesting(_ open: String, _ close: String) {
    for depth in [10, 30, 500, 5_000, 10_000] {
      let inner = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
      let content = Content(TriggerContent(Array("{\"channel_id\":7,\"x\":\(inner)}".utf8)))
      if depth <= 30 {
        #expect(content == Self.object([.id(7)]), "\(depth) levels")
      } else {
        #expect(content.reason?.hasSuffix("nested more than 32 levels deep") == true, "\(depth) levels")
      }
    }
  }

  @Test("A channel's name has at most 1,024 bytes", arguments: [(1_024, true), (1_025, false)])
  func fieldLength(_ length: Int, _ isAccepted: Bool) {
    let name = String(repeating: "n", count: length)
    let content = Content(TriggerContent(Array("{\"channel\":\"\(name)\"}".utf8)))
    let expected =
      isAccepted ? Self.object([.name(name)]) : .invalid("\"channel\" is longer than 1024 bytes")
    #expect(content == expected)
  }

  /// The plain reader must read nothing otherwise than the decoder does.
  @Test(
    "An object is read the same whether it is as plain as most or not",
    arguments: [
      #"{"channel_id":7}"#, #"{ "channel" : "cats" , "user":"a b" }"#, #"{"channel_id":007}"#,
      #"{"channel_id":7 8}"#,
      #"{"channel_id":"x"y"}"#, #"{"channel_id":7,}"#, #"{,}"#, #"{"channel_id":1234567890123456789}"#,
      #"{"channel_id":99999999999999999999}"#, #"{"channel_id":0}"#, #"{"channel_id":-0}"#, #"{"":7}"#,
    ])
  func plain(_ text: String) {
    // A comment keeps the plain reader away.
    #expect(
      Content(TriggerContent(Array(text.utf8))).withoutPlace
        == Content(TriggerContent(Array("/**/\(text)".utf8))).withoutPlace)
  }

  @Test(
    "A channel reference is an id if it is all digits, and a name otherwise",
    arguments: [
      ("7", ChannelReference.id(7)), ("007", .id(7)), ("cats", .name("cats")), ("", .name("")),
      ("-7", .name("-7")),
      ("+7", .name("+7")), ("7 ", .name("7 ")), ("٧", .name("٧")), ("7a", .name("7a")),
      ("99999999999999999999", .name("99999999999999999999")),
    ])
  func reference(_ text: String, _ expected: ChannelReference) {
    #expect(ChannelReference(text: text) == expected)
  }

  @Test("A channel reference is shown without characters that disturb a terminal")
  func description() {
    #expect(ChannelReference.id(7).description == "7")
    #expect(ChannelReference.name("a\u{1B}b").description == #""a\u{1b}b""#)
  }
}
