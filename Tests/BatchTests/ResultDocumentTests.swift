import Batch
import History
import Posix
import Spool
import TestSupport
import Testing
import Text

@Suite("The result document of a trigger", .alone)
struct ResultDocumentTests {
  private func record(_ outcome: Outcome, items: Int? = nil) -> HistoryRecord {
    HistoryRecord(
      id: 9, run: 2, kind: .manual, finishedAt: Timestamp(seconds: 1), outcome: outcome,
      videosDownloaded: items, errorMessage: outcome == .succeeded ? nil : "cause")
  }

  private static let trigger = FileName("a.json")

  @Test(
    "A document has the answer, the record and the trigger's own content",
    arguments: [
      "1\n", "", #"{"channel":"cats","user":"\u001b"}"#,
    ])
  func document(content: String) throws {
    let record = record(.failed, items: 2)
    let bytes = ResultDocument.bytes(record, trigger: Self.trigger, content: Array(content.utf8))
    let document = try JSON(String(decoding: bytes, as: UTF8.self))
    #expect(bytes.last == UInt8(ascii: "\n") && bytes.filter { $0 == UInt8(ascii: "\n") }.count == 1)
    #expect(document["content"] == .string(content))
    #expect(document["record"] == (try JSON(String(decoding: record.json.bytes, as: UTF8.self))))
    #expect(document["download_history_id"] == 9)
    #expect(document["success"] == false)
  }

  @Test("Content that is not UTF-8 does not spoil the document")
  func binaryContent() throws {
    let bytes = ResultDocument.bytes(record(.rejected), trigger: Self.trigger, content: [0xFF, 0x00, 0x0A])
    #expect(try JSON(String(decoding: bytes, as: UTF8.self))["content"] == "\u{FFFD}\0\n")
  }

  @Test(
    "The outcome decides where the claim goes",
    arguments: [
      (.succeeded, "done with a document"), (.failed, "failed with a document"),
      (.timedOut, "failed with a document"), (.interrupted, "failed with a document"),
      (.skipped, "failed with a document"), (.expired, "expired"), (.rejected, "rejected"),
      (.cancelled, "cancelled"),
    ] as [(Outcome, String)])
  func disposition(outcome: Outcome, folder: String) {
    let destination: String
    switch ResultDocument.disposition(of: record(outcome), trigger: Self.trigger, content: []) {
    case .result(let folder, _): destination = "\(folder) with a document"
    case .moved(let folder): destination = "\(folder)"
    }
    #expect(destination == folder)
  }
}
