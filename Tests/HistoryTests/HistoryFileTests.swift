import Foundation
import History
import Posix
import Spool
import TestSupport
import Testing

@Suite("Appending to the history", .alone)
struct HistoryFileTests {
  private let directory: TemporaryDirectory
  private let store: SpoolStore

  init() throws {
    directory = try TemporaryDirectory()
    store = try SpoolStore(SpoolDirectory(path: directory.path))
  }

  private func append(_ file: HistoryFile, _ text: String) throws -> Bool {
    try file.append(Array(text.utf8))
  }

  private var text: String { get throws { try directory.text("history.jsonl") } }

  @Test("The first append makes the file only for the batch's user and group, and later ones add at its end")
  func appends() throws {
    let file = HistoryFile(store)
    #expect(try !append(file, "a\n"))
    #expect(try !append(file, "b\nc\n"))
    #expect(try text == "a\nb\nc\n")
    let status = try #require(try store.root.status(of: HistoryFile.name))
    #expect(status.mode & 0o027 == 0)
  }

  @Test(
    "Appending to the history ends a torn last line with a newline, and cuts nothing off",
    arguments: ["a\nb\nto", "torn", "a\n\0\0", "a\n" + String(repeating: "x", count: 200_000)])
  func endsTornLine(before: String) throws {
    try directory.write("history.jsonl", before)
    let file = HistoryFile(store)
    #expect(try append(file, "new\n"))
    #expect(try text == before + "\nnew\n")
    #expect(try !append(file, "more\n"))
    #expect(try text == before + "\nnew\nmore\n")
  }

  @Test("A write that was cut short stays in the history, and the next one begins on a line of its own")
  func shortWrite() throws {
    let file = HistoryFile(store)
    _ = try append(file, "a\n")
    try FileSizeLimit.during(limit: 7) {
      #expect(throws: SystemError.self) { try append(file, "whole\nsecond\n") }
    }
    #expect(try text == "a\nwhole")
    #expect(try append(file, "new\n"))
    #expect(try text == "a\nwhole\nnew\n")
  }

  @Test(
    "An append does not change the lines of an intact file",
    arguments: ["", "a\n", "a\n\n", String(repeating: "x", count: 65_535) + "\n"])
  func whole(before: String) throws {
    try directory.write("history.jsonl", before)
    #expect(try !append(HistoryFile(store), "new\n"))
    #expect(try text == before + "new\n")
  }

  @Test("An append begins a new file when the old one was renamed or removed meanwhile")
  func rotated() throws {
    let file = HistoryFile(store)
    _ = try append(file, "a\n")
    #expect(rename("\(directory.path)/history.jsonl", "\(directory.path)/history.jsonl.1") == 0)
    _ = try append(file, "b\n")
    #expect(try text == "b\n")
    #expect(unlink("\(directory.path)/history.jsonl") == 0)
    _ = try append(file, "c\n")
    #expect(try text == "c\n")
    #expect(try directory.text("history.jsonl.1") == "a\n")
  }

  @Test("Two writers that append at the same time do not lose or mix lines")
  func concurrent() throws {
    let store = store
    let failures = Monitor(0)
    DispatchQueue.concurrentPerform(iterations: 4) { writer in
      let file = HistoryFile(store)
      for number in 0..<25 {
        let line = "\(writer)-\(number)-" + String(repeating: "x", count: 500) + "\n"
        if (try? file.append(Array(line.utf8))) != false { failures.withLock { $0 += 1 } }
      }
    }
    #expect(failures.withLock { $0 } == 0)
    let lines = try text.split(separator: "\n")
    #expect(lines.count == 100)
    #expect(Set(lines).count == 100)
    #expect(lines.allSatisfy { $0.hasSuffix(String(repeating: "x", count: 500)) })
  }
}
