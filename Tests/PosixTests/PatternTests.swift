import Posix
import TestSupport
import Testing

@Suite("Patterns", .alone)
struct PatternTests {
  @Test(
    "Patterns are POSIX extended regular expressions that match anywhere in a line",
    arguments: [
      ("timed out", "ERROR: connection timed out after 5 s", true), ("timed out", "Timed Out", false),
      ("HTTP Error (429|5[0-9][0-9])", "HTTP Error 503: x", true),
      ("HTTP Error (429|5[0-9][0-9])", "HTTP Error 404: x", false), ("^a$", "a", true), ("^a$", "ba", false),
      ("a{3}", "caaat", true), ("a{3}", "caat", false), ("[[:digit:]]+ items", "12 items", true),
      ("\\(x\\)", "f(x)", true), (".", "", false), ("^$", "", true), ("ä+", "xäy", true),
    ])
  func matches(_ source: String, _ line: String, _ expected: Bool) throws {
    let pattern = try Pattern(source)
    #expect(pattern.matches(Array(line.utf8)) == expected)
    #expect(pattern.matches(line.utf8) == expected)
  }

  @Test("A NUL does not hide the rest of a line")
  func nul() throws {
    #expect(try Pattern("timed out").matches([0, 0x20] + Array("timed out".utf8)))
    #expect(try Pattern("timed out").matches(Array("timed\0out".utf8)))
  }

  @Test("A line that is not valid UTF-8 is searched as well")
  func invalid() throws {
    #expect(try Pattern("out").matches([0xFF, 0xC3] + Array("out".utf8)))
  }

  @Test(
    "An invalid pattern is refused, and the error says what is wrong",
    arguments: ["(", "[a", "a{2", "*", "a{3,1}", "x\0y"])
  func refused(_ source: String) {
    let error = #expect(throws: PatternError.self) { try Pattern(source) }
    #expect(error?.reason.isEmpty == false)
    #expect(error?.description.hasPrefix("not a regular expression: ") == true)
  }

  @Test("A pattern can be used by several threads")
  func threads() throws {
    let pattern = try Pattern("(a|b)+c$")
    let count = Monitor(0)
    try inParallel(4) { _ in
      for _ in 0..<500 where pattern.matches(Array("xxababc".utf8)) { count.withLock { $0 += 1 } }
    }
    #expect(count.withLock { $0 } == 2_000)
  }
}
