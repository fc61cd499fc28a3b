import Foundation
import TestSupport
import Testing

@Suite("Log lines on standard error", .alone)
struct LogLineTests {
  @Test("Each event is one line, with time and level")
  func form() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/note"] },
        { id: 2, name: "bad", command: ["handlers/fail"] },
        """)
    try instance.drop("a.json", age: .seconds(3_600))
    try instance.drop("b.json", "{")
    let lines = try instance.bobbin("run", "--json").errorLines
    // `2026-01-31T10:30:00.123Z warning <message> key=value …`
    let form = /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z (info|warning|error) [^ ].*/
    for line in lines { #expect(line.wholeMatch(of: form) != nil, "\(line)") }
    let messages = lines.map { line in line.split(separator: " ").dropFirst().prefix(3).joined(separator: " ")
    }
    #expect(
      messages == [
        "info run started", "warning trigger expired", "warning file rejected:", "info job started",
        "info job ended", "info job started", "error job ended",
      ])
  }

  @Test(
    "A line stays one line for any name: control characters are escaped, and values with blanks are quoted",
    arguments: [
      ("a\nb.json", #"trigger="a\nb.json""#), ("a\u{1B}[2Jb.json", #"trigger="a\u{1b}[2Jb.json""#),
      ("a\u{202E}b.json", #"trigger="a\u{202e}b.json""#), ("a b.json", #"trigger="a b.json""#),
      ("a\"b.json", #"trigger="a\"b.json""#), ("a=b.json", #"trigger="a=b.json""#),
      ("a.json", "trigger=a.json"), ("ä.json", "trigger=ä.json"),
    ])
  func escaped(name: String, field: String) throws {
    let instance = try TestInstance()
    try instance.drop(name, "1")
    let run = try instance.bobbin("run", "--spool-only")
    #expect(run.status == 0)
    #expect(run.errorLines.count == 3)
    let line = try #require(run.errorLine(with: " info job started "))
    #expect(line.hasSuffix(" " + field) || line.contains(" \(field) "), "\(line)")
    // The history has one line for each record, whatever the name is.
    #expect(try instance.directory.text("spool/history.jsonl").split(separator: "\n").count == 2)
    #expect(try instance.records(of: name).count == 1)
  }

  @Test("The output of a job cannot start a new log line")
  func jobOutput() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/talk"] }"#)
    try instance.handler("talk", #"printf 'bad\rthing \033[31m\n' >&2; exit 1"#)
    let run = try instance.bobbin("run")
    #expect(run.errorLines.count == 3)
    #expect(!run.error.contains("\u{1B}") && !run.error.contains("\r"))
    #expect(try instance.bobbin("history").output.contains("\u{1B}") == false)
  }
}
