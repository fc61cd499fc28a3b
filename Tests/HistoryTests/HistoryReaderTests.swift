import Foundation
import History
import Posix
import TestSupport
import Testing
import Text

@Suite("Reading the history", .alone)
struct HistoryReaderTests {
  private func backwards(_ directory: TemporaryDirectory, limit: Int = .max) throws -> [String] {
    var lines: [String] = []
    try HistoryReader.forEachLineFromEnd(in: directory.open()) { line in
      lines.append(String(decoding: line, as: UTF8.self))
      return lines.count < limit
    }
    return lines
  }

  private func forwards(_ directory: TemporaryDirectory) throws -> [String] {
    var lines: [String] = []
    try HistoryReader.forEachLine(in: directory.open()) { lines.append(String(decoding: $0, as: UTF8.self)) }
    return lines
  }

  /// Lengths around the block sizes: 64 KiB when reading from the end, 256 KiB when reading from the beginning.
  @Test(
    "Every line is read completely in both directions, wherever the blocks end",
    arguments: [1, 100, 65_534, 65_535, 65_536, 65_537, 131_071, 200_000, 262_143, 262_144, 262_145])
  func blockBoundaries(length: Int) throws {
    let directory = try TemporaryDirectory()
    let lines = (0..<5).map { String(repeating: String($0), count: length) }
    try directory.write("history.jsonl", lines.joined(separator: "\n") + "\n")
    #expect(try forwards(directory) == lines)
    #expect(try backwards(directory) == lines.reversed())
  }

  @Test("A line that is too long for a record is skipped in both directions, and takes no memory")
  func tooLong() throws {
    let directory = try TemporaryDirectory()
    let long = String(repeating: "x", count: 3 << 20)
    for (text, lines) in [
      ("a\n\(long)\nb\n", ["a", "b"]), ("\(long)\nb\n", ["b"]), ("a\n\(long)\n", ["a"]), (long, []),
    ] {
      try directory.write("history.jsonl", text)
      #expect(try forwards(directory) == lines)
      #expect(try backwards(directory) == lines.reversed())
    }
  }

  @Test("A trigger whose name begins as the history's is not a rotated history")
  func triggerOfSuchName() throws {
    let directory = try TemporaryDirectory()
    let record = HistoryRecord(
      id: 1, run: nil, kind: .scheduled, finishedAt: Timestamp(seconds: 5), outcome: .skipped)
    let line = String(decoding: record.json.line, as: UTF8.self)
    for name in ["history.jsonl.1", "history.jsonl.json", "history.jsonl-x.json"] {
      try directory.write(name, line)
    }
    #expect(try HistoryFiles(in: directory.open()).rotated.map(\.name.description) == ["history.jsonl.1"])
  }

  @Test("A file of a tebibyte beside the history delays nothing")
  func sparse() throws {
    let directory = try TemporaryDirectory()
    try directory.sparse("history.jsonl.1", size: 1 << 40)
    let files = try HistoryFiles(in: directory.open())
    #expect(files.rotated.isEmpty)
    #expect(files.unreadable.map(\.name.description) == ["history.jsonl.1"])
  }

  @Test("Lines of all lengths are read one after the other")
  func manyLengths() throws {
    let directory = try TemporaryDirectory()
    let lines = (1...800).map { "\($0)" + String(repeating: "x", count: $0) }
    try directory.write("history.jsonl", lines.joined(separator: "\n") + "\n")
    #expect(try forwards(directory) == lines)
    #expect(try backwards(directory) == lines.reversed())
  }

  @Test(
    "A line that has not ended is left out",
    arguments: [1, 65_535, 65_536, 70_000, 300_000])
  func tornLine(length: Int) throws {
    let directory = try TemporaryDirectory()
    try directory.write("history.jsonl", "a\nb\n" + String(repeating: "x", count: length))
    #expect(try forwards(directory) == ["a", "b"])
    #expect(try backwards(directory) == ["b", "a"])
    try directory.write("history.jsonl", String(repeating: "x", count: length))
    #expect(try forwards(directory) == [])
    #expect(try backwards(directory) == [])
  }

  private static let record =
    #"{"id":7,"run":1,"kind":"manual","finished_at":"2026-01-31T10:30:00.000000Z","outcome":"succeeded"}"#

  @Test("Reading the history takes a last line without its newline when it is a whole record")
  func unendedRecord() throws {
    let directory = try TemporaryDirectory()
    for before in ["", "a\nb\n", String(repeating: "x", count: 65_500) + "\n"] {
      try directory.write("history.jsonl", before + Self.record)
      let lines = before.split(separator: "\n").map(String.init)
      #expect(try forwards(directory) == lines + [Self.record])
      #expect(try backwards(directory) == [Self.record] + lines.reversed())
    }
    for length in 1..<Self.record.count {
      try directory.write("history.jsonl", "a\n" + Self.record.prefix(length))
      #expect(try forwards(directory) == ["a"])
      #expect(try backwards(directory) == ["a"])
    }
  }

  @Test(
    "The id of a line that was torn in it is not read", arguments: [#"{"id":12"#, #"{"id":1"#, #"{"id":"#])
  func tornID(line: String) { #expect(HistoryReader.id(Array(line.utf8)[...]) == nil) }

  @Test("Reading the history stops when it is told to", arguments: [1, 2, 3])
  func stops(limit: Int) throws {
    let directory = try TemporaryDirectory()
    try directory.write("history.jsonl", "a\nb\nc\n")
    #expect(try backwards(directory, limit: limit) == ["c", "b", "a"].prefix(limit).map { $0 })
  }

  @Test("A history that is empty or missing does not have lines")
  func nothing() throws {
    let directory = try TemporaryDirectory()
    #expect(try forwards(directory) == [])
    #expect(try backwards(directory) == [])
    try directory.write("history.jsonl")
    #expect(try forwards(directory) == [])
    #expect(try backwards(directory) == [])
  }

  private func newestFirst(
    in directory: Directory, limit: Int = .max, meanwhile: () -> Void = {}
  ) throws -> [String] {
    var lines: [String] = []
    try HistoryReader.forEachLineNewestFirst(in: directory) { line in
      if lines.isEmpty { meanwhile() }
      lines.append(String(decoding: line, as: UTF8.self))
      return lines.count < limit
    }
    return lines
  }

  @Test("Reading the history goes on into what was rotated away, newest first, until it is told to stop")
  func rotated() throws {
    let directory = try TemporaryDirectory()
    func record(_ id: Int) -> String { Self.record.replacing(#""id":7"#, with: "\"id\":\(id)") }
    let lines = (1...5).map(record)
    try directory.write("history.jsonl.1", "a\n\(lines[1])\n")
    #expect(try newestFirst(in: directory.open()) == [lines[1], "a"])
    // Neither the name nor the time of a file says which is newer.
    try directory.write("history.jsonl.2", "\(lines[3])\n")
    try directory.write("history.jsonl-20260101", "\(lines[2])\ntorn", age: .seconds(1_000))
    try directory.write("history.jsonl-20260101.1", "\(lines[0])")
    try directory.write("history.jsonl-20260101.gz", "\(lines[0])\n")
    try directory.write("history.jsonl.empty", "")
    try directory.write("history.jsonl", "\(lines[4])\nd\n")
    let all = ["d", lines[4], lines[3], lines[2], lines[1], "a", lines[0]]
    #expect(try newestFirst(in: directory.open()) == all)
    for limit in 1...all.count {
      #expect(try newestFirst(in: directory.open(), limit: limit) == Array(all.prefix(limit)))
    }
  }

  @Test("A rotation while the history is read neither loses nor repeats a line")
  func rotationMeanwhile() throws {
    let directory = try TemporaryDirectory()
    try directory.write("history.jsonl.1", Self.record + "\n")
    try directory.write("history.jsonl", "b\nc\n")
    let (name, rotated) = (directory.path + "/history.jsonl", directory.path + "/history.jsonl.1")
    let lines = try newestFirst(in: directory.open()) { #expect(rename(name, rotated) == 0) }
    #expect(lines == ["c", "b"])
  }

  @Test(
    "A rotated history that another user made, or that is not a file, is not read",
    arguments: ["another user's", "hard link", "symbolic link", "directory"])
  func foreignRotated(kind: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write("history.jsonl", "b\n")
    try directory.write("other", "a\n")
    let path = directory.path + "/history.jsonl.1"
    switch kind {
    case "another user's":
      try directory.write("history.jsonl.1", "a\n")
      // Only root can give a file away. For another user, a link to a file of root is a file of another user.
      if geteuid() == 0 {
        #expect(chown(path, 65_534, 65_534) == 0)
      } else {
        #expect(unlink(path) == 0 && symlink("/etc/passwd", path) == 0)
      }
    case "hard link": #expect(link(directory.path + "/other", path) == 0)
    case "symbolic link": #expect(symlink(directory.path + "/other", path) == 0)
    default: #expect(mkdir(path, 0o755) == 0)
    }
    #expect(try newestFirst(in: directory.open()) == ["b"])
  }
}
