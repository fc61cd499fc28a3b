import Posix
import TestSupport
import Testing

@Suite("File names are bytes", .alone)
struct FileNameTests {
  @Test("Order is that of the bytes, not of any language")
  func order() {
    let names = ["a", "B", "10", "9", "ä", "-"].map { FileName($0) }
    #expect(names.sorted().map(\.description) == ["-", "10", "9", "B", "a", "ä"])
  }

  @Test("Two forms of one letter are two names")
  func normalForms() {
    #expect(FileName("e\u{301}") != FileName("\u{E9}"))
  }

  @Test("A name that is not valid UTF-8 has no text, and a description all the same")
  func invalid() {
    let name = FileName(bytes: [0xFF, 0x61])
    #expect(name.text == nil)
    #expect(name.description == "\u{FFFD}a")
  }
}
