import FoundationEssentials
import TestSupport
import Testing
import Text

@Suite("JSON output", .alone)
struct JSONTextTests {
  static let values: [(JSONValue, String)] = [
    (.null, "null"), (.bool(true), "true"), (.bool(false), "false"), (.integer(0), "0"),
    (.integer(Int64.min), "-9223372036854775808"),
    (.integer(UInt64.max), "9223372036854775807"), (.array([]), "[]"), (.object([]), "{}"),
    (.array([.integer(1), .null, .string("x")]), #"[1,null,"x"]"#),
    (.object([("b", .integer(1)), ("a", .object([("c", .array([]))]))]), #"{"b":1,"a":{"c":[]}}"#),
    (.optional(nil as String?), "null"), (.optional("x"), #""x""#), (.optional(nil as Int?), "null"),
    (.optional(5), "5"),
    (.optional(nil as Bool?), "null"), (.optional(true), "true"),
    // Seconds with three decimals, rounded; never negative.
    (.seconds(.zero), "0.000"), (.seconds(.milliseconds(1)), "0.001"),
    (.seconds(.milliseconds(1_050)), "1.050"),
    (.seconds(.nanoseconds(499_999)), "0.000"), (.seconds(.nanoseconds(500_000)), "0.001"),
    (.seconds(.nanoseconds(999_999_999)), "1.000"),
    (.seconds(.seconds(86_400)), "86400.000"), (.seconds(.seconds(-5)), "0.000"),
    // Text: characters that JSON requires to be escaped, and those that would disturb a terminal or hide text.
    (.string(""), #""""#), (.string("a\"b\\c/d"), #""a\"b\\c/d""#), (.string("\n\r\t"), #""\n\r\t""#),
    (.string("\u{0}\u{8}\u{1B}\u{1F}"), #""\u0000\u0008\u001b\u001f""#),
    (.string("\u{7F}\u{85}\u{9F}"), #""\u007f\u0085\u009f""#),
    (.string("\u{2028}\u{2029}"), #""\u2028\u2029""#), (.string("a\u{202E}b\u{202A}"), #""a\u202eb\u202a""#),
    (.string("\u{2066}\u{2069}\u{200E}\u{200F}\u{61C}\u{FEFF}"), #""\u2066\u2069\u200e\u200f\u061c\ufeff""#),
    (.string("äé\u{301}\u{1F431}\u{200D}\u{A0}"), "\"äé\u{301}\u{1F431}\u{200D}\u{A0}\""),
    (.string("\r\n"), #""\r\n""#),
    (.object([("a\nb", .null)]), #"{"a\nb":null}"#),
  ]

  @Test(
    "JSON output is one line with the fields in order, and special characters are escaped",
    arguments: values)
  func text(_ value: JSONValue, _ expected: String) {
    #expect(String(decoding: value.bytes, as: UTF8.self) == expected)
    #expect(value.line == value.bytes + [0x0A])
  }

  @Test("Another JSON reader reads back every character")
  func everyScalar() throws {
    var text = ""
    for value in (UInt32(0)...0x2FFF).lazy.map({ $0 }) + [0xFEFF, 0xFFFD, 0x1F431, 0x10FFFF] {
      if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
    }
    let bytes = JSONValue.string(text).bytes
    #expect(
      try JSONDecoder().decode(String.self, from: Data(bytes)).unicodeScalars.elementsEqual(
        text.unicodeScalars))
    let written = String(decoding: bytes, as: UTF8.self)
    #expect(written.unicodeScalars.allSatisfy { !$0.isUnsafeForTerminal })
  }

  static let texts: [(String, String)] = [
    ("", ""), ("plain ä", "plain ä"), ("a\nb\r\t", "a\\nb\\r\\t"), ("\u{1B}[31m", "\\u{1b}[31m"),
    ("a\u{202E}b", "a\\u{202e}b"),
    ("\u{0}", "\\u{0}"), ("\u{9B}", "\\u{9b}"), ("\u{2028}", "\\u{2028}"), ("a\\b", "a\\b"),
    ("\r\n", "\\r\\n"),
    ("\u{FEFF}x", "\\u{feff}x"), ("e\u{301}", "e\u{301}"),
  ]

  @Test("Text for people is one line that does not disturb a terminal", arguments: texts)
  func printable(_ text: String, _ expected: String) {
    #expect(text.printable == expected)
    #expect(text.printable.unicodeScalars.allSatisfy { !$0.isUnsafeForTerminal })
  }
}
