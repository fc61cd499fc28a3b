import Posix
import TestSupport
import Testing
import Text

@Suite("a log line", .alone)
struct LogTests {
  /// What is written, without the time.
  private func lines(isQuiet: Bool = false, _ body: (Log) -> Void) -> [String] {
    let lines = Monitor<[String]>([])
    body(Log(isQuiet: isQuiet) { line in lines.withLock { $0.append(line) } })
    return lines.withLock { $0 }.map { line in String(line.drop { $0 != " " }.dropFirst()) }
  }

  @Test("has time, level, message and fields, and ends with its only newline")
  func form() throws {
    let written = Monitor("")
    Log { line in written.withLock { $0 = line } }.warning(
      "trigger expired", ["trigger": "7.json", "age": "31m4s"])
    let line = written.withLock { $0 }
    let form = /[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z warning trigger expired trigger=7\.json age=31m4s\n/
    #expect(line.wholeMatch(of: form) != nil, "\(line)")
  }

  @Test(
    "quotes a value that would not end clearly, and escapes what drives a terminal",
    arguments: [
      ("plain", "plain"), ("ä😀", "ä😀"), ("7.json", "7.json"), ("", #""""#), ("a b", #""a b""#),
      ("a=b", #""a=b""#), (#"a"b"#, #""a\"b""#), ("a\nb", #""a\nb""#), ("a\rb\tc", #""a\rb\tc""#),
      ("\u{1B}[2J", #""\u{1b}[2J""#), ("a\u{202E}b", #""a\u{202e}b""#), ("\u{85}", #""\u{85}""#),
      ("\u{7F}", #""\u{7f}""#), ("\u{2028}", #""\u{2028}""#),
    ])
  func quoting(value: String, text: String) {
    #expect(lines { $0.info("m", ["key": value]) } == ["info m key=\(text)\n"])
  }

  @Test("leaves out a field without a value")
  func noValue() {
    #expect(lines { $0.error("m", ["a": nil, "b": "1", "c": nil]) } == ["error m b=1\n"])
  }

  @Test("keeps a message on its line")
  func message() {
    #expect(lines { $0.warning("a\nb\u{1B}") } == ["warning a\\nb\\u{1b}\n"])
  }

  @Test("that is no warning and no error is left out when quiet")
  func quiet() {
    let written = lines(isQuiet: true) { log in
      log.info("one")
      log.warning("two")
      log.error("three")
    }
    #expect(written == ["warning two\n", "error three\n"])
  }

  @Test(
    "gives durations briefly",
    arguments: [
      (.zero, "0ms"), (.milliseconds(999), "999ms"), (.milliseconds(1_000), "1s"), (.seconds(59), "59s"),
      (.seconds(60), "1m"), (.seconds(1_864), "31m4s"), (.seconds(3_599), "59m59s"),
      (.seconds(1_800), "30m"), (.seconds(3_600), "1h"), (.seconds(3_659), "1h"), (.seconds(3_660), "1h1m"),
      (.seconds(172_799), "47h59m"), (.seconds(172_800), "2d"), (.seconds(273_600), "3d4h"),
      (.milliseconds(-1_500), "-1s"), (.microseconds(1_999), "1ms"),
    ] as [(Duration, String)])
  func durations(duration: Duration, text: String) { #expect(duration.brief == text) }
}
