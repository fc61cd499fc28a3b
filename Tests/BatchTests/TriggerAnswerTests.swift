import History
import Posix
import TestSupport
import Testing
import Text

@testable import Batch

@Suite("The answer to a trigger", .alone)
struct TriggerAnswerTests {
  private func record(_ outcome: Outcome, items: Int? = nil) -> HistoryRecord {
    HistoryRecord(
      id: 9, run: 2, kind: .manual, finishedAt: Timestamp(seconds: 1), outcome: outcome,
      videosDownloaded: items, errorMessage: outcome == .succeeded ? nil : "cause")
  }

  private static let trigger = FileName("a.json")

  private func json(_ answer: TriggerAnswer) throws -> JSON {
    try JSON(String(decoding: JSONValue.object(answer.fields).bytes, as: UTF8.self))
  }

  @Test("An answer has exactly the documented fields, in this order")
  func fields() {
    let names = ["status", "success", "videos_downloaded", "error_message", "download_history_id", "message"]
    let answer = TriggerAnswer(record(.succeeded, items: 1), trigger: Self.trigger)
    #expect(answer.fields.map(\.name) == names + ["position", "trigger"])
  }

  @Test(
    "An answer has a message about the outcome of the request",
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
    "A pending trigger is `queued` with its position, and its answer says whether a run is active",
    arguments: [
      (true, "Scheduled job in progress. Manual download queued."), (false, "Manual download queued."),
    ])
  func queued(isRunning: Bool, message: String) throws {
    let answer = try json(TriggerAnswer(.pending, trigger: Self.trigger, position: 4, isRunning: isRunning))
    #expect(
      answer == [
        "status": "queued", "success": nil, "videos_downloaded": nil, "error_message": nil,
        "download_history_id": nil, "message": .string(message), "position": 4, "trigger": "a.json",
      ])
  }

  @Test("A user who may not list the spool does not get a position")
  func noPosition() throws {
    #expect(
      try json(TriggerAnswer(.pending, trigger: Self.trigger, position: nil, isRunning: true))["position"]
        == nil)
  }

  @Test(
    "A claimed trigger is `queued`, and its answer says whether this user can read its end",
    arguments: [
      (true, "A run has claimed the manual download."),
      (false, "A run has claimed the manual download; its result cannot be read by this user."),
    ])
  func claimed(isReadable: Bool, message: String) throws {
    let progress: TriggerProgress = isReadable ? .claimed : .unreadable
    let answer = try json(TriggerAnswer(progress, trigger: Self.trigger, position: nil, isRunning: true))
    #expect(
      answer == [
        "status": "queued", "success": nil, "videos_downloaded": nil, "error_message": nil,
        "download_history_id": nil, "message": .string(message), "position": nil, "trigger": "a.json",
      ])
  }
}
