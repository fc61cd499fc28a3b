import Posix
import TestSupport
import Testing
import Text

@Suite("A log line", .alone)
struct LogTests {
  /// The lines that are written, without their times.
  private func lines(isQuiet: Bool = false, _ body: (Log) -> Void) -> [String] {
    let lines = Monitor<[String]>([])
    body(Log(isQuiet: isQuiet) { line in lines.withLock { $0.append(line) } })
    return lines.withLock { $0 }.map { line in String(line.drop { $0 != " " }.dropFirst()) }
  }

  @Test("A log line has a time, a level, a message and fields, and ends with its only newline")
  func form() throws {
    let written = Monitor("")
    Log { line in written.withLock { $0 = line } }.warning(
      "trigger expired", ["trigger": "7.json", "age": "31m4s"])
    let line = written.withLock { $0 }
    let form = /[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z warning trigger expired trigger=7\.json age=31m4s\n/
    #expect(line.wholeMatch(of: form) != nil, "\(line)")
  }

  @Test(
    "A log line quotes a value whose end would not be clear, and escapes terminal control characters",
    arguments: [
      ("plain", "plain"), ("ä😀", "ä😀"), ("7.json", "7.json"), ("", #""""#), ("a b", #""a b""#),
      ("a=b", #""a=b""#), (#"a"b"#, #""a\"b""#), ("a\nb", #""a\nb""#), ("a\rb\tc", #""a\rb\tc""#),
      (#"a\"#, #""a\\""#), (#"C:\new"#, #""C:\\new""#), (#"\""#, #""\\\"""#),
      ("\u{1B}[2J", #""\u{1b}[2J""#), ("a\u{202E}b", #""a\u{202e}b""#), ("\u{85}", #""\u{85}""#),
      ("\u{7F}", #""\u{7f}""#), ("\u{2028}", #""\u{2028}""#),
    ])
  func quoting(value: String, text: String) {
    #expect(lines { $0.info("m", ["key": value]) } == ["info m key=\(text)\n"])
  }

  @Test("A log line leaves out a field without a value")
  func noValue() {
    #expect(lines { $0.error("m", ["a": nil, "b": "1", "c": nil]) } == ["error m b=1\n"])
  }

  @Test("A log line escapes a newline in its message")
  func message() {
    #expect(lines { $0.warning("a\nb\u{1B}") } == ["warning a\\nb\\u{1b}\n"])
  }

  @Test("A log line that is neither a warning nor an error is left out in quiet mode")
  func quiet() {
    let written = lines(isQuiet: true) { log in
      log.info("one")
      log.warning("two")
      log.error("three")
    }
    #expect(written == ["warning two\n", "error three\n"])
  }
}
