import Posix
import TestSupport
import Testing

@Suite("File names", .alone)
struct FileNameTests {
  @Test("Names are ordered by their bytes, not by the rules of a language")
  func order() {
    let names = ["a", "B", "10", "9", "ä", "-"].map { FileName($0) }
    #expect(names.sorted().map(\.description) == ["-", "10", "9", "B", "a", "ä"])
  }

  @Test("Two Unicode forms of a letter are two names")
  func normalForms() {
    #expect(FileName("e\u{301}") != FileName("\u{E9}"))
  }

  @Test("A name that is not valid UTF-8 has a description, but not a text")
  func invalid() {
    let name = FileName(bytes: [0xFF, 0x61])
    #expect(name.text == nil)
    #expect(name.description == "\u{FFFD}a")
  }
}
