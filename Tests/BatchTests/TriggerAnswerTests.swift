@testable import Batch
import History
import Posix
import TestSupport
import Testing
import Text

@Suite("the answer to a trigger", .alone)
struct TriggerAnswerTests {
  private func record(_ outcome: Outcome, items: Int? = nil) -> HistoryRecord {
    var record = HistoryRecord(
      id: 9, run: 2, kind: .manual, outcome: outcome, finishedAt: Timestamp(seconds: 1))
    record.videosDownloaded = items
    record.errorMessage = outcome == .succeeded ? nil : "cause"
    return record
  }

  private static let trigger = FileName("a.json")

  private func json(_ answer: TriggerAnswer) throws -> JSON {
    try JSON(String(decoding: JSONValue.object(answer.fields).bytes, as: UTF8.self))
  }

  @Test("has exactly the documented fields, in this order")
  func fields() {
    let names = ["status", "success", "videos_downloaded", "error_message", "download_history_id", "message"]
    let answer = TriggerAnswer(record(.succeeded, items: 1), trigger: Self.trigger)
    #expect(answer.fields.map(\.name) == names + ["position", "trigger"])
  }

  @Test(
    "says in words what became of it",
    arguments: [
      (.succeeded, 0, "Nothing new to download."), (.succeeded, 1, "1 video downloaded."),
      (.succeeded, 12, "12 videos downloaded."), (.failed, 0, "The download failed."),
      (.timedOut, 3, "The download took too long and was stopped."),
      (.interrupted, nil, "The download was interrupted."),
      (.expired, nil, "The request expired before it could be carried out."),
      (.rejected, nil, "The file is not a valid request."), (.cancelled, nil, "The request was cancelled."),
      (.skipped, nil, "The download was skipped."),
    ] as [(Outcome, Int?, String)])
  func completed(outcome: Outcome, items: Int?, message: String) throws {
    let answer = try json(TriggerAnswer(record(outcome, items: items), trigger: Self.trigger))
    #expect(
      answer == [
        "status": "completed", "success": .bool(outcome == .succeeded),
        "videos_downloaded": items.map { .number(Double($0)) } ?? .null,
        "error_message": outcome == .succeeded ? nil : "cause", "download_history_id": 9,
        "message": .string(message), "position": nil, "trigger": "a.json",
      ])
  }

  @Test(
    "is `queued` with its position while it waits, and says whether a run is on",
    arguments: [
      (true, "Scheduled job in progress. Manual download queued."), (false, "Manual download queued."),
    ])
  func queued(isRunOn: Bool, message: String) throws {
    let answer = try json(TriggerAnswer(.pending, trigger: Self.trigger, position: 4, isRunOn: isRunOn))
    #expect(
      answer == [
        "status": "queued", "success": nil, "videos_downloaded": nil, "error_message": nil,
        "download_history_id": nil, "message": .string(message), "position": 4, "trigger": "a.json",
      ])
  }

  @Test("gives no position to somebody who may not list the spool")
  func noPosition() throws {
    #expect(
      try json(TriggerAnswer(.pending, trigger: Self.trigger, position: nil, isRunOn: true))["position"]
        == nil)
  }

  @Test(
    "says, with the same fields, that a run has taken it up, and whether its end can be read",
    arguments: [
      (true, "A run has taken the manual download up."),
      (false, "A run has taken the manual download up; its result cannot be read by this user."),
    ])
  func takenUp(isReadable: Bool, message: String) throws {
    let progress: TriggerProgress = isReadable ? .takenUp : .unreadable
    let answer = try json(TriggerAnswer(progress, trigger: Self.trigger, position: nil, isRunOn: true))
    #expect(
      answer == [
        "status": "queued", "success": nil, "videos_downloaded": nil, "error_message": nil,
        "download_history_id": nil, "message": .string(message), "position": nil, "trigger": "a.json",
      ])
  }

  @Test(
    "as a result document also has the job's record and the trigger's own content",
    arguments: [
      "1\n", "", #"{"channel":"cats","user":"\u001b"}"#,
    ])
  func document(content: String) throws {
    let record = record(.failed, items: 2)
    let bytes = TriggerAnswer.document(record, trigger: Self.trigger, content: Array(content.utf8))
    let document = try JSON(String(decoding: bytes, as: UTF8.self))
    #expect(bytes.last == UInt8(ascii: "\n") && bytes.filter { $0 == UInt8(ascii: "\n") }.count == 1)
    #expect(document["content"] == .string(content))
    #expect(document["record"] == (try JSON(String(decoding: record.json.bytes, as: UTF8.self))))
    #expect(document["download_history_id"] == 9)
    #expect(document["success"] == false)
  }

  @Test("content that is no UTF-8 does not spoil the document")
  func binaryContent() throws {
    let bytes = TriggerAnswer.document(record(.rejected), trigger: Self.trigger, content: [0xFF, 0x00, 0x0A])
    #expect(try JSON(String(decoding: bytes, as: UTF8.self))["content"] == "\u{FFFD}\0\n")
  }

  @Test(
    "decides where the claim goes",
    arguments: [
      (.succeeded, "done"), (.failed, "failed"), (.timedOut, "failed"), (.interrupted, "failed"),
      (.skipped, "failed"), (.expired, "expired"), (.rejected, "rejected"), (.cancelled, "cancelled"),
    ] as [(Outcome, String)])
  func ending(outcome: Outcome, folder: String) {
    let found =
      switch TriggerAnswer.ending(of: record(outcome), trigger: Self.trigger, content: []) {
      case .done: "done"
      case .failed: "failed"
      case .moved(let folder): folder.rawValue
      }
    #expect(found == folder)
  }
}
