import Channels
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

  private func output(_ rules: OutputRules = OutputRules()) throws -> JobOutput {
    let warnings = warnings
    return JobOutput(
      id: 7, directory: try Directory(path: scratch.path), rules: rules,
      log: Log { line in warnings.withLock { $0.append(line) } })
  }

  private func rules(transient: String) throws -> OutputRules {
    var rules = OutputRules()
    rules.transient = [try Pattern(transient)]
    return rules
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
    let items = output.items.count
    #expect(items == count)
  }

  @Test("A line that is longer than the buffer is one item")
  func longLine() throws {
    var output = try output()
    add(String(repeating: "x", count: 100_000), to: &output)
    add("\ny\n", to: &output)
    output.finish()
    let items = output.items.count
    #expect(items == 2)
  }

  @Test("The last line on standard error is the likely cause")
  func cause() throws {
    var output = try output()
    addError("first\nsecond\n\n", to: &output)
    addError("thi", to: &output)
    addError("rd", to: &output)
    output.finish()
    let cause = output.cause.text
    #expect(cause == "third")
    let items = output.items.count
    #expect(items == 0)
  }

  @Test(
    "The likely cause is the last error, otherwise the last line with a letter that is not a warning",
    arguments: [
      (["ERROR: a", "ERROR: b", "b failed", "WARNING: c"], "ERROR: b"),
      (["first", "an ERROR: x"], "an ERROR: x"),
      (["cause", "╰────╯", "100 % (3/3)"], "cause"), (["Fehler", "Ошибка", "…"], "Ошибка"),
      (["cause", "tool: warning: old"], "cause"), (["cause", "DeprecationWarning: x"], "cause"),
      (["cause", "[warn] x"], "cause"), (["cause", "2026-01-31T10:30:00.123Z warning x key=1"], "cause"),
      (["cause", "time=1 level=warn msg=x"], "cause"), (["cause", "Warn"], "cause"),
      (["too many warnings"], "too many warnings"), (["warned twice"], "warned twice"),
      (["WARNING: x", "---"], nil), ([], nil),
    ] as [([String], String?)])
  func likelyCause(lines: [String], expected: String?) throws {
    var output = try output()
    for line in lines { addError(line + "\n", to: &output) }
    output.finish()
    let cause = output.cause.text
    #expect(cause == expected)
  }

  @Test("Each line counts once however many attempts print it, and each time within one attempt")
  func attempts() {
    func lines(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }
    var items = ItemCounter()
    items.add(lines("a", "a", "b"))
    items.beginNextAttempt()
    items.add(lines("b", "c"))
    items.beginNextAttempt()
    items.add(lines("a", "c", "d", "d"))
    #expect(items.count == 6)
  }

  @Test("What an attempt prints beyond the memory for lines is counted again")
  func memory() {
    var items = ItemCounter()
    let lines = (0...ItemCounter.memory).map { Array(String($0).utf8) }
    items.add(lines)
    items.beginNextAttempt()
    items.add(lines)
    #expect(items.count == ItemCounter.memory + 2)
  }

  @Test(
    "A line on standard error that matches a pattern makes a failure transient",
    arguments: [("ERROR: HTTP Error 503: x\n", true), ("ERROR: HTTP Error 404: x\n", false), ("503", false)])
  func transient(text: String, expected: Bool) throws {
    var output = try output(rules(transient: "HTTP Error 5[0-9]{2}"))
    addError(text, to: &output)
    output.finish()
    let isTransient = output.matches.isTransient
    #expect(isTransient == expected)
  }

  @Test("The lines of an output are matched against the patterns of their stream")
  func matches() throws {
    var rules = OutputRules()
    rules.errorLine = try Pattern("^E")
    rules.tolerate = [try Pattern("gone"), try Pattern("away")]
    rules.failure = [try Pattern("^FATAL"), try Pattern("^E: disk")]
    rules.items = try Pattern("^item")
    var output = try output(rules)
    add("E: gone\nitem 1\nother\nFATAL: no item\nitem 2", to: &output)
    addError("item 3\ngone\nE: gone\nE: away\nE: full\nnote\n", to: &output)
    output.finish()
    let (items, matches, cause) = (output.items.count, output.matches, output.cause)
    #expect(items == 2)
    #expect(matches == OutputMatches(tolerated: 2, errors: 1, isFailure: true))
    #expect((cause.failure, cause.text) == ("FATAL: no item", "FATAL: no item"))
  }

  @Test("A line that is tolerated and means failure counts as both, and is the cause")
  func toleratedFailure() throws {
    var rules = OutputRules()
    rules.tolerate = [try Pattern("disk")]
    rules.failure = [try Pattern("full")]
    var output = try output(rules)
    addError("ERROR: disk full\nERROR: disk lost\n", to: &output)
    output.finish()
    let (matches, cause) = (output.matches, output.cause.text)
    #expect(matches == OutputMatches(tolerated: 2, errors: 0, isFailure: true))
    #expect(cause == "ERROR: disk full")
  }

  @Test(
    "An error that is tolerated is not the cause",
    arguments: [
      (["ERROR: full", "ERROR: gone", "gone"], "ERROR: full"), (["note", "ERROR: gone"], "note"),
      (["ERROR: gone"], nil),
    ] as [([String], String?)])
  func toleratedCause(lines: [String], expected: String?) throws {
    var rules = OutputRules()
    rules.tolerate = [try Pattern("gone")]
    var output = try output(rules)
    for line in lines { addError(line + "\n", to: &output) }
    output.finish()
    let cause = output.cause.text
    #expect(cause == expected)
  }

  @Test("A line on standard output does not make a failure transient")
  func transientOnOutput() throws {
    var output = try output(rules(transient: "503"))
    add("503\n", to: &output)
    output.finish()
    let isTransient = output.matches.isTransient
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

  @Test("A job that writes nothing does not get a log file")
  func silent() throws {
    var output = try output()
    output.finish()
    #expect(!scratch.exists("7.log"))
  }

  @Test(
    "A lone carriage return ends a line, as a progress bar writes it",
    arguments: [
      ("10%\r50%\r100%\r\nERROR: cause\r\n", "ERROR: cause", 4),
      ("\r\r\r", nil, 0), ("a\r\nb", "b", 2), ("bar\rERROR: cause", "ERROR: cause", 2),
    ] as [(String, String?, Int)])
  func carriageReturn(text: String, last: String?, count: Int) throws {
    var output = try output()
    addError(text, to: &output)
    add(text, to: &output)
    output.finish()
    let (cause, items) = (output.cause.text, output.items.count)
    #expect(cause == last)
    #expect(items == count)
  }

  @Test(
    "Escape sequences are not part of a line",
    arguments: [
      ("\u{1B}[0;31mERROR:\u{1B}[0m cause\n", "ERROR: cause"), ("\u{1B}[2K\u{1B}[1GERROR: x\n", "ERROR: x"),
      ("\u{1B}]0;title\u{07}ERROR: x\n", "ERROR: x"), ("\u{1B}]0;title\u{1B}\\ERROR: x\n", "ERROR: x"),
      ("\u{1B}(BERROR: x\n", "ERROR: x"), ("\u{1B}[31", nil), ("\u{1B}[0m\n", nil),
      ("\u{1B}[3\nERROR: x\n", "ERROR: x"),
    ] as [(String, String?)])
  func escapeSequences(text: String, line: String?) throws {
    var output = try output(rules(transient: "^ERROR: "))
    // The sequence may be cut into pieces anywhere.
    for scalar in text.unicodeScalars { addError(String(scalar), to: &output) }
    output.finish()
    let (cause, isTransient) = (output.cause.text, output.matches.isTransient)
    #expect(cause == line)
    #expect(isTransient == (line != nil))
  }

  @Test("The log file of a long output keeps its beginning and its end, while all lines are counted")
  func longOutput() throws {
    var output = try output()
    let count = 20_000
    for number in 0..<count {
      let text = String(number)
      add(text + String(repeating: "x", count: 1_023 - text.count) + "\n", to: &output)
    }
    addError("the cause\n", to: &output)
    output.finish()
    let items = output.items.count
    #expect(items == count)
    let lines = try scratch.text("7.log").split(separator: "\n")
    #expect(lines.first?.hasPrefix("0x") == true)
    #expect(lines.last == "the cause")
    #expect(lines.dropLast().last?.hasPrefix("\(count - 1)x") == true)
    #expect(
      lines.filter { $0.hasPrefix("[bobbin: ") && $0.hasSuffix(" bytes are left out here]") }.count == 1)
    let size = try scratch.text("7.log").utf8.count
    #expect(size <= JobLog.headLimit + JobLog.tailLimit + 100)
    #expect(size > JobLog.headLimit)
  }

  @Test("The log file of an output that just fits is complete")
  func fittingOutput() throws {
    var output = try output()
    let line = String(repeating: "x", count: 1_023) + "\n"
    for _ in 0..<((JobLog.headLimit + JobLog.tailLimit) / 1_024) { add(line, to: &output) }
    output.finish()
    #expect(try scratch.text("7.log").utf8.count == JobLog.headLimit + JobLog.tailLimit)
  }

  @Test("A long output does not touch the log of an earlier attempt")
  func longSecondAttempt() throws {
    var first = try output()
    add("first attempt\n", to: &first)
    first.finish()
    var second = try output()
    for _ in 0..<9_000 { add(String(repeating: "y", count: 1_023) + "\n", to: &second) }
    second.finish()
    #expect(try scratch.text("7.log").hasPrefix("first attempt\nyyy"))
  }

  @Test("A log file that cannot be written is reported once and stops nothing")
  func broken() throws {
    try scratch.directory("7.log")
    var output = try output()
    add("a\n", to: &output)
    add("b\n", to: &output)
    output.finish()
    let items = output.items.count
    #expect(items == 2)
    #expect(warnings.withLock { $0 }.count == 1)
    #expect(warnings.withLock { $0 }.first?.contains(" warning job log not written: cannot open ") == true)
  }
}
