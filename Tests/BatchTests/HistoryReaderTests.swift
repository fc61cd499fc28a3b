import Batch
import Posix
import TestSupport
import Testing

@Suite("reading the history", .alone)
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

  /// Lengths around the blocks in which it is read: 64 KiB from the end, 256 KiB from the beginning.
  @Test(
    "finds every line whole, in both directions, wherever the blocks end",
    arguments: [1, 100, 65_534, 65_535, 65_536, 65_537, 131_071, 200_000, 262_143, 262_144, 262_145])
  func blockBoundaries(length: Int) throws {
    let directory = try TemporaryDirectory()
    let lines = (0..<5).map { String(repeating: String($0), count: length) }
    try directory.write("history.jsonl", lines.joined(separator: "\n") + "\n")
    #expect(try forwards(directory) == lines)
    #expect(try backwards(directory) == lines.reversed())
  }

  @Test("finds lines of all lengths one after the other")
  func manyLengths() throws {
    let directory = try TemporaryDirectory()
    let lines = (1...800).map { "\($0)" + String(repeating: "x", count: $0) }
    try directory.write("history.jsonl", lines.joined(separator: "\n") + "\n")
    #expect(try forwards(directory) == lines)
    #expect(try backwards(directory) == lines.reversed())
  }

  @Test("leaves out a line that has not ended", arguments: [1, 65_535, 65_536, 70_000, 300_000])
  func tornLine(length: Int) throws {
    let directory = try TemporaryDirectory()
    try directory.write("history.jsonl", "a\nb\n" + String(repeating: "x", count: length))
    #expect(try forwards(directory) == ["a", "b"])
    #expect(try backwards(directory) == ["b", "a"])
    try directory.write("history.jsonl", String(repeating: "x", count: length))
    #expect(try forwards(directory) == [])
    #expect(try backwards(directory) == [])
  }

  @Test("stops when it is told to", arguments: [1, 2, 3])
  func stops(limit: Int) throws {
    let directory = try TemporaryDirectory()
    try directory.write("history.jsonl", "a\nb\nc\n")
    #expect(try backwards(directory, limit: limit) == ["c", "b", "a"].prefix(limit).map { $0 })
  }

  @Test("finds nothing in a file that is empty or not there")
  func nothing() throws {
    let directory = try TemporaryDirectory()
    #expect(try forwards(directory) == [])
    #expect(try backwards(directory) == [])
    try directory.write("history.jsonl")
    #expect(try forwards(directory) == [])
    #expect(try backwards(directory) == [])
  }
}
