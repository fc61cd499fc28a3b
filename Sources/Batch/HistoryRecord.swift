import FoundationEssentials
package import Posix
package import Spool

/// One line of the history: a job, a trigger that was not run, or a run with its statistics.
package struct HistoryRecord: Sendable, Equatable {
  package enum Kind: String, Sendable, Codable {
    case scheduled, manual, run
  }

  package var id: Int64
  /// The number of the run; nil for what was done outside one (`bobbin cancel`).
  package var run: Int64?
  package var kind: Kind
  package var channelID: Int64?
  package var channel: String?
  package var trigger: FileName?
  package var user: String?
  /// The owner of the trigger's file.
  package var uid: UInt32?
  package var requestedAt: Timestamp?
  package var startedAt: Timestamp?
  package var finishedAt: Timestamp
  package var duration: Duration?
  package var attempt: Int?
  package var outcome: Outcome
  package var exitStatus: Int32?
  package var signal: Int32?
  package var videosDownloaded: Int?
  package var errorMessage: String?
  /// The job was stopped with the batch and its trigger put back: not the trigger's last record.
  package var isRequeued = false
  package var statistics: RunStatistics?

  package init(id: Int64, run: Int64?, kind: Kind, outcome: Outcome, finishedAt: Timestamp) {
    self.id = id
    self.run = run
    self.kind = kind
    self.outcome = outcome
    self.finishedAt = finishedAt
  }

  package var json: JSONValue {
    func time(_ moment: Timestamp?) -> JSONValue { .optional(moment?.rfc3339(fractionDigits: 6)) }
    var fields: [(name: String, value: JSONValue)] = [
      ("id", .integer(id)), ("run", .optional(run)), ("kind", .string(kind.rawValue)),
      ("channel_id", .optional(channelID)), ("channel", .optional(channel)),
      ("trigger", .optional(trigger?.description)), ("user", .optional(user)), ("uid", .optional(uid)),
      ("requested_at", time(requestedAt)), ("started_at", time(startedAt)), ("finished_at", time(finishedAt)),
      ("duration_s", duration.map { .seconds($0) } ?? .null), ("attempt", .optional(attempt)),
      ("outcome", .string(outcome.rawValue)), ("exit_status", .optional(exitStatus)),
      ("signal", .optional(signal)),
      ("videos_downloaded", .optional(videosDownloaded)), ("error_message", .optional(errorMessage)),
    ]
    if let trigger, trigger.text == nil {
      fields.append(("trigger_b64", .string(Data(trigger.bytes).base64EncodedString())))
    }
    if isRequeued { fields.append(("requeued", .bool(true))) }
    if let statistics { fields += statistics.fields }
    return .object(fields)
  }
}

extension HistoryRecord: Decodable {
  private enum Key: String, CodingKey {
    case id, run, kind, channel, trigger, user, uid, attempt, outcome, signal, requeued
    case channelID = "channel_id"
    case triggerBase64 = "trigger_b64"
    case requestedAt = "requested_at"
    case startedAt = "started_at"
    case finishedAt = "finished_at"
    case duration = "duration_s"
    case exitStatus = "exit_status"
    case videosDownloaded = "videos_downloaded"
    case errorMessage = "error_message"
  }

  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    func time(_ key: Key) throws -> Timestamp? {
      try fields.decodeIfPresent(String.self, forKey: key).flatMap { Timestamp(rfc3339: $0) }
    }
    self.init(
      id: try fields.decode(Int64.self, forKey: .id),
      run: try fields.decodeIfPresent(Int64.self, forKey: .run),
      kind: try fields.decode(Kind.self, forKey: .kind),
      outcome: try fields.decode(Outcome.self, forKey: .outcome),
      finishedAt: try time(.finishedAt) ?? Timestamp(seconds: 0))
    channelID = try fields.decodeIfPresent(Int64.self, forKey: .channelID)
    channel = try fields.decodeIfPresent(String.self, forKey: .channel)
    if let text = try fields.decodeIfPresent(String.self, forKey: .triggerBase64),
      let data = Data(base64Encoded: text)
    {
      trigger = FileName(bytes: Array(data))
    } else {
      trigger = try fields.decodeIfPresent(String.self, forKey: .trigger).map { FileName($0) }
    }
    user = try fields.decodeIfPresent(String.self, forKey: .user)
    uid = try fields.decodeIfPresent(UInt32.self, forKey: .uid)
    requestedAt = try time(.requestedAt)
    startedAt = try time(.startedAt)
    duration = try fields.decodeIfPresent(Double.self, forKey: .duration).map { .seconds($0) }
    attempt = try fields.decodeIfPresent(Int.self, forKey: .attempt)
    exitStatus = try fields.decodeIfPresent(Int32.self, forKey: .exitStatus)
    signal = try fields.decodeIfPresent(Int32.self, forKey: .signal)
    videosDownloaded = try fields.decodeIfPresent(Int.self, forKey: .videosDownloaded)
    errorMessage = try fields.decodeIfPresent(String.self, forKey: .errorMessage)
    isRequeued = try fields.decodeIfPresent(Bool.self, forKey: .requeued) ?? false
  }
}
