import Foundation
import TestSupport
import Testing

/// What the settings of a channel make of the exit status and the output of its jobs.
@Suite("The outcome of a job", .alone)
struct JobOutcomeTests {
  private struct Case: CustomTestStringConvertible {
    let settings: String
    let script: String
    let outcome: JSON
    var warnings: JSON = 0
    var message: JSON = .null
    var attempts: JSON = 1

    var testDescription: String { "\(settings) \(script)" }
  }

  private static let gone = "echo 'ERROR: video 2 is gone' >&2"
  private static let full = "echo 'ERROR: disk full' >&2"

  private static let cases: [Case] = [
    Case(settings: "success: [0, 101],", script: "exit 101", outcome: "succeeded"),
    Case(
      settings: "success: [101],", script: "exit 0", outcome: "failed",
      message: "exit status 0, which success does not list"),
    Case(settings: "success: [0, 75],", script: "exit 75", outcome: "succeeded"),
    Case(
      settings: #"tolerate: ["is gone"],"#, script: "\(gone); \(gone); exit 1", outcome: "succeeded",
      warnings: 2),
    Case(
      settings: #"tolerate: ["is gone"],"#, script: "\(full); \(gone); exit 1", outcome: "failed",
      message: "exit status 1: ERROR: disk full"),
    Case(
      settings: #"tolerate: ["is gone"],"#, script: "exit 1", outcome: "failed", message: "exit status 1"),
    Case(
      settings: #"error_line: "^wget: ", tolerate: ["404"],"#,
      script: "\(full); echo 'wget: 404' >&2; exit 8", outcome: "succeeded", warnings: 1),
    Case(
      settings: #"error_line: "failed$","#, script: "echo 'step 2 failed' >&2; echo bye >&2; exit 3",
      outcome: "failed", message: "exit status 3: step 2 failed"),
    Case(
      settings: #"failure: ["^FATAL"],"#, script: "echo 'FATAL: no disk'; echo item", outcome: "failed",
      message: "FATAL: no disk"),
    Case(
      settings: #"failure: ["^FATAL"], transient: ["FATAL"],"#, script: "echo 'FATAL: no disk' >&2",
      outcome: "failed", message: "FATAL: no disk", attempts: 2),
  ]

  @Test("The exit status, the error lines and the lines that mean failure decide together", arguments: cases)
  private func outcome(_ row: Case) throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/do"], retry_delay: "1ms", \(row.settings) },
        """)
    try instance.handler("do", row.script)
    let run = try instance.bobbin("run")
    #expect(run.status == (row.outcome == "succeeded" ? 0 : 1), "\(run)")
    let record = try #require(try instance.history().first)
    #expect(
      [record["outcome"], record["warnings"], record["error_message"], record["attempt"]]
        == [row.outcome, row.warnings, row.message, row.attempts])
  }

  @Test("The warnings of a job are in its log line, in the run's summary and record, and in the history")
  func warnings() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/do"], tolerate: ["is gone"] },
        { id: 2, name: "fine", command: ["handlers/note"] },
        """)
    try instance.handler("do", "\(Self.gone); \(Self.gone); exit 1")
    // A user that is not a text is a warning of the trigger.
    try instance.drop("a.json", #"{"channel": "demo", "user": true}"#)
    try instance.drop("b.json", #"{"channel": "gone", "user": true}"#)
    let run = try instance.bobbin("run")
    #expect(run.errorLine(with: " info job ended", "channel=demo", " warnings=2 ") != nil, "\(run)")
    #expect(run.errorLine(with: " info job ended", "channel=demo", " warnings=3 ") != nil, "\(run)")
    #expect(run.errorLine(with: " job ended", "channel=fine", "warnings=") == nil)
    #expect(run.output.hasSuffix("; videos downloaded: 1; warnings: 6\n"), "\(run)")
    let records = try instance.history()
    #expect(records.map { $0["warnings"] } == [2, 0, 3, 1, 6])
    let lines = try instance.bobbin("history").outputLines
    try #require(lines.count == 6)
    #expect(lines[1].hasSuffix("  -        2 warnings"), "\(lines)")
    #expect(lines[2].hasSuffix("  -        "), "\(lines)")
    #expect(lines[4].hasSuffix("; 1 warning"), "\(lines)")
  }

  @Test("Only the lines on standard output that match the pattern for items are counted")
  func items() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "a", command: ["handlers/list"], items: "^>f" },
        { id: 2, name: "b", command: ["handlers/list"] },
        """, settings: #"defaults: { items: "txt$" },"#)
    try instance.handler("list", "echo '>f+++ a.txt'; echo '>f+++ b.mp3'; echo 'cd+++ c.txt'; echo; echo end")
    #expect(try instance.bobbin("run").status == 0)
    #expect(try instance.history().prefix(2).map { $0["videos_downloaded"] } == [2, 2])
  }
}
