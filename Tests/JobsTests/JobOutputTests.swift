import Foundation
import Posix
import TestSupport
import Testing

@testable import Jobs

@Suite("The output of a job", .alone)
struct JobOutputTests {
  private let scratch: TemporaryDirectory
  private let warnings = Monitor<[String]>([])

  init() throws { scratch = try TemporaryDirectory() }

  private func output(transient: [String] = []) throws -> JobOutput {
    let warnings = warnings
    return JobOutput(
      id: 7, directory: try Directory(path: scratch.path), transient: try transient.map { try Pattern($0) },
      log: Log { line in warnings.withLock { $0.append(line) } })
  }

  private func add(_ text: String, to output: inout JobOutput) {
    Array(text.utf8).withUnsafeBytes { output.addOutput($0) }
  }

  private func addError(_ text: String, to output: inout JobOutput) {
    Array(text.utf8).withUnsafeBytes { output.addError($0) }
  }

  @Test(
    "Each line on standard output that is not blank is an item, however the output is cut into pieces",
    arguments: [
      ([], 0), (["a\n"], 1), (["a"], 1), (["a\nb\n"], 2), (["a", "b\n"], 1), (["a\n", "\n", " \t\r\n"], 1),
      (["a\r\nb\r\n"], 2), (["", "\n\n"], 0), (["a\n", "b"], 2),
    ] as [([String], Int)])
  func items(pieces: [String], count: Int) throws {
    var output = try output()
    for piece in pieces { add(piece, to: &output) }
    output.finish()
    let items = output.items
    #expect(items == count)
  }

  @Test("A line that is longer than the buffer is one item")
  func longLine() throws {
    var output = try output()
    add(String(repeating: "x", count: 100_000), to: &output)
    add("\ny\n", to: &output)
    output.finish()
    let items = output.items
    #expect(items == 2)
  }

  @Test("The last line on standard error that is not blank is the likely cause")
  func lastErrorLine() throws {
    var output = try output()
    addError("first\nsecond\n\n", to: &output)
    addError("thi", to: &output)
    addError("rd", to: &output)
    output.finish()
    let lastErrorLine = output.lastErrorLine
    #expect(lastErrorLine == "third")
    let items = output.items
    #expect(items == 0)
  }

  @Test(
    "A line on standard error that matches a pattern makes a failure transient",
    arguments: [("ERROR: HTTP Error 503: x\n", true), ("ERROR: HTTP Error 404: x\n", false), ("503", false)])
  func transient(text: String, expected: Bool) throws {
    var output = try output(transient: ["HTTP Error 5[0-9]{2}"])
    addError(text, to: &output)
    output.finish()
    let isTransient = output.isTransient
    #expect(isTransient == expected)
  }

  @Test("A line on standard output is never a sign of a transient failure")
  func transientOnOutput() throws {
    var output = try output(transient: ["503"])
    add("503\n", to: &output)
    output.finish()
    let isTransient = output.isTransient
    #expect(!isTransient)
  }

  @Test("Both streams go to the log file in the order in which they came")
  func log() throws {
    var output = try output()
    add("a\n", to: &output)
    addError("b\n", to: &output)
    add("c", to: &output)
    output.finish()
    #expect(try scratch.text("7.log") == "a\nb\nc")
  }

  @Test("A later attempt is appended to the log of an earlier one")
  func laterAttempt() throws {
    for text in ["one\n", "two\n"] {
      var output = try output()
      add(text, to: &output)
      output.finish()
    }
    #expect(try scratch.text("7.log") == "one\ntwo\n")
  }

  @Test("A job that writes nothing has no log file")
  func silent() throws {
    var output = try output()
    output.finish()
    #expect(!scratch.exists("7.log"))
  }

  @Test("The log file ends at its limit and says so, while lines are still counted")
  func limit() throws {
    var output = try output()
    let line = String(repeating: "x", count: 1_023) + "\n"
    for _ in 0..<(JobOutput.logLimit / 1_024 + 3) { add(line, to: &output) }
    output.finish()
    let items = output.items
    #expect(items == JobOutput.logLimit / 1_024 + 3)
    let text = try scratch.text("7.log")
    #expect(text.utf8.count < JobOutput.logLimit + 100)
    #expect(text.hasSuffix("\n[bobbin: the log ends here, after 4 MiB]\n"))
  }

  @Test("A log file that cannot be written is reported once and stops nothing")
  func broken() throws {
    try scratch.directory("7.log")
    var output = try output()
    add("a\n", to: &output)
    add("b\n", to: &output)
    output.finish()
    let items = output.items
    #expect(items == 2)
    #expect(warnings.withLock { $0 }.count == 1)
    #expect(warnings.withLock { $0 }.first?.contains(" warning job log not written: cannot open ") == true)
  }
}
