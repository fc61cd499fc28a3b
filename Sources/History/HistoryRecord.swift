import FoundationEssentials
package import Posix
package import Text

/// One line of the history: a job, a trigger that was not run, or a run with its statistics.
package struct HistoryRecord: Sendable, Equatable {
  package enum Kind: String, Sendable, Codable {
    case scheduled, manual, run
  }

  package let id: Int64
  /// The number of the run; nil for an event outside a run (`bobbin cancel`).
  package let run: Int64?
  package let kind: Kind
  package let channelID: Int64?
  package let channel: String?
  package let trigger: FileName?
  package let user: String?
  /// The owner of the trigger's file.
  package let uid: UInt32?
  package let requestedAt: Timestamp?
  package let startedAt: Timestamp?
  package let finishedAt: Timestamp
  package let duration: Duration?
  package let attempt: Int?
  package let outcome: Outcome
  /// How many things were wrong that did not keep it from ending so. The log says what.
  package let warnings: Int
  package let exitStatus: Int32?
  package let signal: Int32?
  package let videosDownloaded: Int?
  package let errorMessage: String?
  /// The job was stopped together with the batch and its trigger was put back: this is not the trigger's last record.
  package let isRequeued: Bool
  package let statistics: RunStatistics?

  package init(
    id: Int64, run: Int64?, kind: Kind, channelID: Int64? = nil, channel: String? = nil,
    trigger: FileName? = nil, user: String? = nil, uid: UInt32? = nil, requestedAt: Timestamp? = nil,
    startedAt: Timestamp? = nil, finishedAt: Timestamp, duration: Duration? = nil, attempt: Int? = nil,
    outcome: Outcome, warnings: Int = 0, exitStatus: Int32? = nil, signal: Int32? = nil,
    videosDownloaded: Int? = nil,
    errorMessage: String? = nil, isRequeued: Bool = false, statistics: RunStatistics? = nil
  ) {
    self.id = id
    self.run = run
    self.kind = kind
    self.channelID = channelID
    self.channel = channel
    self.trigger = trigger
    self.user = user
    self.uid = uid
    self.requestedAt = requestedAt
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.duration = duration
    self.attempt = attempt
    self.outcome = outcome
    self.warnings = warnings
    self.exitStatus = exitStatus
    self.signal = signal
    self.videosDownloaded = videosDownloaded
    self.errorMessage = errorMessage
    self.isRequeued = isRequeued
    self.statistics = statistics
  }

  package var json: JSONValue {
    func time(_ time: Timestamp?) -> JSONValue { .optional(time?.rfc3339(fractionDigits: 6)) }
    var fields: [(name: String, value: JSONValue)] = [
      // First, because `HistoryReader.id` and `.run` read these two without decoding the line.
      ("id", .integer(id)), ("run", .optional(run)), ("kind", .string(kind.rawValue)),
      ("channel_id", .optional(channelID)), ("channel", .optional(channel)),
      ("trigger", .optional(trigger?.description)), ("user", .optional(user)), ("uid", .optional(uid)),
      ("requested_at", time(requestedAt)), ("started_at", time(startedAt)), ("finished_at", time(finishedAt)),
      ("duration_s", duration.map { .seconds($0) } ?? .null), ("attempt", .optional(attempt)),
      ("outcome", .string(outcome.rawValue)), ("warnings", .integer(Int64(clamping: warnings))),
      ("exit_status", .optional(exitStatus)), ("signal", .optional(signal)),
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
    case id, run, kind, channel, trigger, user, uid, attempt, outcome, warnings, signal, requeued
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

  /// Reads a record without its statistics, which are not needed again.
  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    func value<Value: Decodable>(_ key: Key) throws -> Value? {
      try fields.decodeIfPresent(Value.self, forKey: key)
    }
    func time(_ key: Key) throws -> Timestamp? {
      let text: String? = try value(key)
      return text.flatMap { Timestamp(rfc3339: $0) }
    }
    let name: String? = try value(.trigger)
    let base64: String? = try value(.triggerBase64)
    let seconds: Double? = try value(.duration)
    self.init(
      id: try fields.decode(Int64.self, forKey: .id), run: try value(.run),
      kind: try fields.decode(Kind.self, forKey: .kind), channelID: try value(.channelID),
      channel: try value(.channel),
      trigger: base64.flatMap { Data(base64Encoded: $0) }.map { FileName(bytes: Array($0)) }
        ?? name.map { FileName($0) },
      user: try value(.user), uid: try value(.uid), requestedAt: try time(.requestedAt),
      startedAt: try time(.startedAt), finishedAt: try time(.finishedAt) ?? Timestamp(seconds: 0),
      duration: seconds.map { .seconds($0) }, attempt: try value(.attempt),
      outcome: try fields.decode(Outcome.self, forKey: .outcome), warnings: try value(.warnings) ?? 0,
      exitStatus: try value(.exitStatus),
      signal: try value(.signal), videosDownloaded: try value(.videosDownloaded),
      errorMessage: try value(.errorMessage), isRequeued: try value(.requeued) ?? false)
  }
}
