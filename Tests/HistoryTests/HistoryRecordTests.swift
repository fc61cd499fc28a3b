import Foundation
import History
import Posix
import TestSupport
import Testing
import Text

@Suite("A history record", .alone)
struct HistoryRecordTests {
  /// A record with a value in every field.
  private func full(trigger: FileName = FileName("a \"b\"\n.json")) throws -> HistoryRecord {
    let finished = try #require(Timestamp(rfc3339: "2026-01-31T10:30:01.500000Z"))
    return HistoryRecord(
      id: 12, run: 3, kind: .manual, channelID: 7, channel: "cats", trigger: trigger, user: "anna", uid: 1000,
      requestedAt: Timestamp(rfc3339: "2026-01-31T10:29:59.000001Z"),
      startedAt: Timestamp(rfc3339: "2026-01-31T10:30:00Z"), finishedAt: finished,
      duration: .milliseconds(1_500), attempt: 2, outcome: .timedOut, warnings: 2, exitStatus: 3, signal: 15,
      videosDownloaded: 4, errorMessage: "cause: \u{1B}[2J", isRequeued: true)
  }

  private func read(_ record: HistoryRecord) -> HistoryRecord? {
    HistoryReader.record(record.json.bytes[...])
  }

  @Test("A history record is one line with its fields in the documented order and control characters escaped")
  func text() throws {
    #expect(
      String(decoding: try full().json.bytes, as: UTF8.self) == #"""
        {"id":12,"run":3,"kind":"manual","channel_id":7,"channel":"cats","trigger":"a \"b\"\n.json",\#
        "user":"anna","uid":1000,"requested_at":"2026-01-31T10:29:59.000001Z",\#
        "started_at":"2026-01-31T10:30:00.000000Z","finished_at":"2026-01-31T10:30:01.500000Z",\#
        "duration_s":1.500,"attempt":2,"outcome":"timed_out","warnings":2,\#
        "exit_status":3,"signal":15,"videos_downloaded":4,"error_message":"cause: \u001b[2J","requeued":true}
        """#)
  }

  @Test("A history record is read back with every field as it was written")
  func roundTrip() throws {
    let record = try full()
    #expect(read(record) == record)
  }

  @Test("A history record without its optional fields is read back without them")
  func empty() {
    let record = HistoryRecord(
      id: 1, run: nil, kind: .scheduled, finishedAt: Timestamp(seconds: 5), outcome: .skipped)
    #expect(read(record) == record)
    #expect(String(decoding: record.json.bytes, as: UTF8.self).contains(#""user":null"#))
  }

  @Test(
    "A history record keeps the bytes of a name that is not clean UTF-8",
    arguments: [[0xFF], [0x61, 0xC3], [0xED, 0xA0, 0x80]])
  func bytesOfName(prefix: [UInt8]) throws {
    let name = FileName(bytes: prefix + Array(".json".utf8))
    let record = try full(trigger: name)
    let text = String(decoding: record.json.bytes, as: UTF8.self)
    #expect(text.contains(#""trigger_b64":"\#(Data(name.bytes).base64EncodedString())""#))
    #expect(read(record)?.trigger == name)
  }

  @Test(
    "A name in clean UTF-8 is recorded in only one form",
    arguments: ["a.json", "ä.json", "e\u{301}.json", "😀.json"])
  func cleanName(name: String) throws {
    let record = try full(trigger: FileName(name))
    #expect(!String(decoding: record.json.bytes, as: UTF8.self).contains("trigger_b64"))
    #expect(read(record)?.trigger == FileName(name))
  }

  @Test("The history record of a run has its statistics")
  func statistics() {
    var statistics = RunStatistics()
    statistics.channels.total = 2
    statistics.triggers.expired = 3
    statistics.historyMended = 1
    let record = HistoryRecord(
      id: 1, run: 1, kind: .run, finishedAt: Timestamp(seconds: 0), outcome: .succeeded,
      statistics: statistics)
    #expect(
      String(decoding: record.json.bytes, as: UTF8.self).hasSuffix(
        #""channels":{"total":2,"succeeded":0,"failed":0,"skipped":0},"triggers":{"succeeded":0,"failed":0,"#
          + #""expired":3,"rejected":0,"deferred":0},"history_mended":1}"#))
    #expect(read(record)?.kind == .run)
  }

  @Test(
    "A line that is not a history record is refused",
    arguments: [
      "", "hello", "[]", "{}", #"{"id":1}"#, #"{"id":0,"kind":"run","outcome":"failed"}"#,
      #"{"id":-5,"kind":"run","outcome":"failed"}"#,
      #"{"id":9223372036854775807,"kind":"run","outcome":"failed"}"#,
      #"{"id":1,"run":9223372036854775807,"kind":"run","outcome":"failed"}"#,
      #"{"id":"1","kind":"run","outcome":"failed"}"#, #"{"id":1,"kind":"party","outcome":"failed"}"#,
    ])
  func foreign(line: String) { #expect(HistoryReader.record(Array(line.utf8)[...]) == nil) }

  @Test("A history record from a later version may have fields that this version does not know")
  func unknownFields() {
    let line = #"{"id":4,"kind":"run","outcome":"failed","node":"n1"}"#
    #expect(HistoryReader.record(Array(line.utf8)[...])?.id == 4)
  }

  @Test(
    "The id of a history record is read without decoding the record",
    arguments: [
      (#"{"id":12,"run":1}"#, 12), (#"{"id":1,"#, 1), (#"{ "id":1,"run":1}"#, nil), (#"{"id":x,"#, nil),
      (#"{"id":0,"run":1}"#, nil), ("", nil),
    ] as [(String, Int64?)])
  func quickID(line: String, id: Int64?) { #expect(HistoryReader.id(Array(line.utf8)[...]) == id) }
}
