import Foundation
import History
import Posix
import Spool
import TestSupport
import Testing
import Text

@Suite("History ids", .alone)
struct HistoryIDsTests {
  private let directory: TemporaryDirectory
  private let store: SpoolStore

  init() throws {
    directory = try TemporaryDirectory()
    store = try SpoolStore(SpoolDirectory(path: directory.path))
  }

  private static func line(id: Int64, run: Int64) -> String {
    let record = HistoryRecord(
      id: id, run: run, kind: .manual, finishedAt: Timestamp(seconds: 0), outcome: .succeeded)
    return String(decoding: record.json.line, as: UTF8.self)
  }

  @Test("History ids are 1, 2, 3 …, and the ids of runs are counted separately")
  func counts() throws {
    let ids = try HistoryIDs(store)
    #expect(try [ids.next(), ids.next(), ids.nextRun(), ids.next(), ids.nextRun()] == [1, 2, 1, 3, 2])
    #expect(try HistoryIDs(store).next() == 4)
  }

  @Test("History ids continue after the ids that another process was given")
  func interleaved() throws {
    let (first, second) = (try HistoryIDs(store), try HistoryIDs(store))
    let ids = try [first.next(), second.next(), second.next(), first.next(), second.next()]
    #expect(ids == [1, 2, 3, 4, 5])
  }

  @Test("History ids continue when the file is emptied meanwhile")
  func emptied() throws {
    let ids = try HistoryIDs(store)
    #expect(try [ids.next(), ids.nextRun(), ids.next()] == [1, 1, 2])
    try directory.write(".history-id", "")
    #expect(try [ids.next(), ids.nextRun(), ids.next()] == [3, 2, 4])
  }

  @Test("A history id is not given twice, however many threads ask at the same time")
  func concurrent() throws {
    let store = store
    let allIDs = Monitor<[Int64]>([])
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      // Each thread has its own descriptor, as processes have.
      guard let ids = try? HistoryIDs(store) else { return }
      for _ in 0..<200 {
        guard let id = try? ids.next() else { return }
        allIDs.withLock { $0.append(id) }
      }
    }
    #expect(allIDs.withLock { $0 }.sorted() == (1...800).map { $0 })
  }

  @Test("An id that was given back is given again, but only by the same instance")
  func giveBack() throws {
    let (first, second) = (try HistoryIDs(store), try HistoryIDs(store))
    let id = try first.next()
    first.giveBack(id)
    #expect(try second.next() == 2)
    #expect(try first.next() == 1)
    #expect(try first.next() == 3)
  }

  @Test(
    "History ids continue when their file is lost, after the last id in the current or rotated history",
    arguments: [
      (["history.jsonl"], 21), (["history.jsonl.1"], 21), (["history.jsonl", "history.jsonl.1"], 31),
    ] as [([String], Int64)])
  func lostFile(files: [String], next: Int64) throws {
    for (index, file) in files.enumerated() {
      let base = Int64(index * 10)
      try directory.write(file, (11...20).map { Self.line(id: base + $0, run: 5) }.joined())
    }
    let ids = try HistoryIDs(store)
    #expect(try ids.next() == next)
    #expect(try ids.nextRun() == 6)
  }

  @Test("History ids continue after the history when their file is behind it, as after a power cut")
  func behind() throws {
    try directory.write(".history-id", "3 2\n")
    try directory.write("history.jsonl", (1...9).map { Self.line(id: $0, run: 1) }.joined())
    #expect(try HistoryIDs(store).next() == 10)
  }

  @Test("History ids continue after the ids of claims that a crash left without a record")
  func claims() throws {
    let owner = ProcessIdentity.current().folder.description
    try directory.write("running/\(owner)/41.1.a.json")
    try directory.write("running/\(owner)/42.expired.b.json")
    try directory.write("running/\(owner)/not-a-claim")
    #expect(try HistoryIDs(store).next() == 43)
  }

  @Test(
    "History ids are not affected by text in their file that is not a number",
    arguments: [
      "", "x\n", "0 0\n", "-5 1\n", "7\n", "7 1 2\n", "99999999999999999999 1\n", "9223372036854775807 1\n",
    ])
  func garbage(content: String) throws {
    try directory.write(".history-id", content)
    try directory.write("history.jsonl", Self.line(id: 5, run: 2))
    let ids = try HistoryIDs(store)
    #expect(try [ids.next(), ids.next(), ids.nextRun()] == [6, 7, 3])
    #expect(try HistoryIDs(store).next() == 8)
  }

  @Test("History ids do not start again when the history is removed")
  func removedHistory() throws {
    let ids = try HistoryIDs(store)
    for _ in 1...5 { _ = try ids.next() }
    #expect(try HistoryIDs(store).next() == 6)
  }
}
