import Channels
import TestSupport
import Testing

@Suite("Faults of a configuration's syntax", .alone)
struct ConfigurationSyntaxTests {
  static let texts: [(String, String)] = [
    ("", "1:1: the file does not contain a configuration; write at least { }"),
    ("\n// nothing\n", "3:1: the file does not contain a configuration; write at least { }"),
    ("[]", "1:1: expected {, found [; a configuration is one object in braces"),
    ("7", "1:1: expected {, found 7; a configuration is one object in braces"),
    ("{ channels: []", "1:1: this { is never closed"),
    ("{\n  channels: [1, 2\n", "2:13: this [ is never closed"),
    (
      "{ channels: [] } }",
      "1:18: there is text after the end of the configuration; a configuration is one { … }; remove the text "
        + "after it, or an extra } before it"
    ),
    (
      "{ channels: [] }\n{ channels: [] }",
      "2:1: there is text after the end of the configuration; a configuration is one { … }; remove the text "
        + "after it, or an extra } before it"
    ),
    ("{ settle: \"2s\"\n  channels: [] }", "2:3: expected , or }, found c; is a comma missing before it?"),
    ("{ channels: [1 2] }", "1:16: expected , or ], found 2; is a comma missing before it?"),
    ("{ channels [] }", "1:12: expected : after the key \"channels\", found ["),
    ("{ channels: }", "1:13: a value is missing before }"),
    ("{ channels: [,] }", "1:14: a value is missing before ,"),
    ("{ , }", "1:3: expected a key or }, found ,"),
    ("{ channels: [] /* }", "1:16: this comment is never closed"),
    ("{ ä: \"x }", "1:6: this quote is never closed"),
    ("{ settle: soon, channels: [] }", "1:11: \"soon\" is not a value; put it in quotes"),
    ("{ spool: /var, channels: [] }", "1:10: \"/var\" is not a value; put it in quotes"),
    ("{ 2a: 1, channels: [] }", "1:3: \"2a\" is not a key; put it in quotes"),
    ("{ rerun: True, channels: [] }", "1:10: \"True\" is not a value; put it in quotes"),
    (
      "{ lock: \"a\\xb\", channels: [] }",
      "1:9: the text contains a bad escape, a bare line break or a control character; write \\n for a line break, "
        + "\\\\ for a backslash, \\t for a tab"
    ),
    ("{ a\u{0}: 1 }", "1:4: NUL character; save the file as UTF-8 text"),
  ]

  @Test("A fault of the syntax says where in the text it is and what is wrong", arguments: texts)
  func fault(_ text: String, _ expected: String) { #expect(faults(text) == [expected]) }

  @Test(
    "A file that is not UTF-8 is refused with that reason",
    arguments: [[0xFF, 0xFE, 0x7B, 0x01], Array("{ a: \"".utf8) + [0xE4, 0x22, 0x7D]])
  func encoding(_ bytes: [UInt8]) {
    let messages = faults(bytes)
    #expect(messages.count == 1)
    #expect(messages.first?.hasSuffix(": not UTF-8; save the file as UTF-8 text") == true)
  }

  @Test(
    "Deep nesting is refused before it overflows the stack",
    arguments: [(31, false), (33, true), (100_000, true)])
  func nesting(_ depth: Int, _ isRefused: Bool) {
    let text =
      "{ channels: [], x: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      + " }"
    #expect(faults(text).contains { $0.hasSuffix("nested more than 32 levels deep") } == isRefused)
  }

  @Test("The file's own path must be absolute")
  func relative() {
    let error = #expect(throws: ConfigurationErrors.self) {
      try read("{ channels: [] }", file: "etc/bobbin.json5")
    }
    #expect(error?.description == "etc/bobbin.json5: the path of a configuration must be absolute")
  }
}
