import Foundation
import History
import Posix
import Spool
import TestSupport
import Testing
import Text

@testable import Batch

@Suite("The recorder", .alone)
struct RecorderTests {
  private let scratch: TemporaryDirectory
  private let store: SpoolStore
  private let claims: ClaimFolder

  init() throws {
    scratch = try TemporaryDirectory()
    store = try SpoolStore(SpoolDirectory(path: scratch.path))
    claims = ClaimFolder(store)
  }

  private func claim(_ name: String, id: Int64, state: ClaimState = .attempt(1)) throws -> Claim {
    try scratch.write(name, "1\n")
    return try #require(try claims.claim(FileName(name), id: id, state: state))
  }

  private func record(_ claim: Claim, _ outcome: Outcome) -> HistoryRecord {
    HistoryRecord(
      id: claim.id, run: 1, kind: .manual, trigger: claim.trigger, finishedAt: .now(), outcome: outcome)
  }

  private func history() throws -> [JSON] { try JSON.lines(try scratch.text("history.jsonl")) }

  private func names(_ folder: String) throws -> [String] { try scratch.names(in: folder) }

  @Test("A recorded trigger is in the history, has its result, and is no longer claimed")
  func result() throws {
    let recorder = try Recorder(store)
    let claim = try claim("a.json", id: 1)
    try recorder.add(.init(record: record(claim, .succeeded), claim: claim, content: Array("1\n".utf8)))
    try recorder.flush()
    #expect(try history().map { $0["id"] } == [1])
    #expect(try names("done") == ["a.json"])
    #expect(try claim.folder.names().isEmpty)
  }

  @Test(
    "A trigger that was not run moves to the folder of its outcome",
    arguments: ["expired", "rejected", "cancelled"])
  func moved(outcome: String) throws {
    let outcome = try #require(Outcome(rawValue: outcome))
    let recorder = try Recorder(store)
    let claim = try claim("a.json", id: 1, state: try #require(outcome.claimState))
    try recorder.add(.init(record: record(claim, outcome), claim: claim))
    try recorder.flush()
    #expect(try scratch.text("\(outcome.folder)/a.json") == "1\n")
    #expect(try history().map { $0["outcome"].string } == [outcome.rawValue])
  }

  @Test("Many records are written in the order in which they were handed over")
  func order() throws {
    let recorder = try Recorder(store)
    for id in 1...600 {
      let record = HistoryRecord(
        id: Int64(id), run: 1, kind: .scheduled, finishedAt: .now(), outcome: .succeeded)
      try recorder.add(.init(record: record))
    }
    try recorder.flush()
    #expect(try history().map { $0["id"].number } == (1...600).map { Double($0) })
  }

  @Test("A record that an earlier run made durable is not written again")
  func isRecorded() throws {
    let recorder = try Recorder(store)
    let claim = try claim("a.json", id: 1)
    try recorder.add(.init(record: record(claim, .failed), isRecorded: true, claim: claim))
    try recorder.flush()
    #expect(!scratch.exists("history.jsonl"))
    #expect(try names("failed") == ["a.json"])
  }

  @Test("A record that cannot be written leaves the claim, and nothing is recorded after it")
  func failure() throws {
    let recorder = try Recorder(store)
    let (first, second) = (try claim("a.json", id: 1), try claim("b.json", id: 2))
    try FileSizeLimit.during(limit: 0) {
      try recorder.add(.init(record: record(first, .succeeded), claim: first))
      #expect(throws: SystemError.self) { try recorder.flush() }
    }
    // There is space again, but the rest is left to the next run, which recovers the claims.
    #expect(throws: SystemError.self) {
      try recorder.add(.init(record: record(second, .succeeded), claim: second))
    }
    #expect(throws: SystemError.self) { try recorder.check() }
    #expect(try Set(first.folder.names()) == [first.file, second.file])
    #expect(!scratch.exists("history.jsonl"))
    #expect(try names("done") == [])
  }

  @Test("A record that was written whole before the write failed stays, and is written once only")
  func shortWrite() throws {
    let (first, second) = (try claim("a.json", id: 1), try claim("b.json", id: 2))
    let size = record(first, .succeeded).json.line.count
    // The first record is a line, the second one is torn, and nothing ends it: the limit allows no newline either.
    for limit in [size - 1, size, size + 20] {
      try scratch.write("history.jsonl")
      let recorder = try Recorder(store)
      let entries = [first, second].map { Recorder.Entry(record: record($0, .succeeded)) }
      try FileSizeLimit.during(limit: UInt64(limit)) {
        for entry in entries { try recorder.add(entry) }
        #expect(throws: SystemError.self) { try recorder.flush() }
      }
      #expect(try scratch.text("history.jsonl").utf8.count == limit)
      var ids: [Int64?] = []
      try HistoryReader.forEachLine(in: store.root) { ids.append(HistoryReader.record($0)?.id) }
      #expect(ids == [1])
      // The next run records the second one.
      let next = try Recorder(store)
      try next.add(.init(record: record(second, .succeeded)))
      try next.flush()
      ids = []
      try HistoryReader.forEachLine(in: store.root) { ids.append(HistoryReader.record($0)?.id) }
      #expect(ids.compactMap { $0 } == [1, 2])
    }
  }

  @Test("A torn last line is counted once")
  func torn() throws {
    try scratch.write("history.jsonl", "{\"id\":1")
    let recorder = try Recorder(store)
    for id in 2...3 {
      let record = HistoryRecord(
        id: Int64(id), run: 1, kind: .scheduled, finishedAt: .now(), outcome: .succeeded)
      try recorder.add(.init(record: record))
      try recorder.flush()
    }
    #expect(recorder.mended == 1)
  }
}
