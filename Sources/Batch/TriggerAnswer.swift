package import Posix
package import Spool

/// What somebody who asked for a download is told: at once, or later in `done/` and `failed/`.
package struct TriggerAnswer: Sendable, Equatable {
  package enum Status: String, Sendable {
    case completed, queued
  }

  package var status: Status
  package var success: Bool?
  package var videosDownloaded: Int?
  package var errorMessage: String?
  package var historyID: Int64?
  package var message: String?
  package var position: Int?
  package var trigger: FileName
  /// Whether it still waits for its turn. What is queued and does not has been taken up by a run.
  package var isPending = false

  /// The request was carried out, or given up: what the record of its job says.
  package init(_ record: HistoryRecord, trigger: FileName) {
    status = .completed
    success = record.outcome == .succeeded
    videosDownloaded = record.videosDownloaded
    errorMessage = record.errorMessage
    historyID = record.id
    self.trigger = trigger
    message =
      switch record.outcome {
      case .succeeded:
        switch record.videosDownloaded ?? 0 {
        case 0: "Nothing new to download."
        case 1: "1 video downloaded."
        case let count: "\(count) videos downloaded."
        }
      case .failed: "The download failed."
      case .timedOut: "The download took too long and was stopped."
      case .interrupted: "The download was interrupted."
      case .expired: "The request expired before it could be carried out."
      case .rejected: "The file is not a valid request."
      case .cancelled: "The request was cancelled."
      case .skipped: "The download was skipped."
      }
  }

  /// What can be told of the request now.
  ///
  /// - Parameter position: nil for somebody who may not list the spool, and when it does not wait for its turn any more.
  package init(_ progress: TriggerProgress, trigger: FileName, position: Int?, isRunOn: Bool) {
    switch progress {
    case .done(let record): self.init(record, trigger: trigger)
    case .pending:
      self.init(
        queued: trigger,
        message: isRunOn ? "Scheduled job in progress. Manual download queued." : "Manual download queued.")
      self.position = position
      isPending = true
    case .takenUp: self.init(queued: trigger, message: "A run has taken the manual download up.")
    case .unreadable:
      self.init(
        queued: trigger,
        message: "A run has taken the manual download up; its result cannot be read by this user.")
    }
  }

  private init(queued trigger: FileName, message: String) {
    status = .queued
    self.trigger = trigger
    self.message = message
  }

  package var fields: [(name: String, value: JSONValue)] {
    [
      ("status", .string(status.rawValue)), ("success", .optional(success)),
      ("videos_downloaded", .optional(videosDownloaded)), ("error_message", .optional(errorMessage)),
      ("download_history_id", .optional(historyID)), ("message", .optional(message)),
      ("position", .optional(position)), ("trigger", .string(trigger.description)),
    ]
  }

  /// The result document for `done/` and `failed/`: the answer, the record, and the trigger's own text.
  package static func document(_ record: HistoryRecord, trigger: FileName, content: [UInt8]) -> [UInt8] {
    let content = String(decoding: content, as: UTF8.self)
    return JSONValue.object(
      TriggerAnswer(record, trigger: trigger).fields + [
        ("record", record.json), ("content", .string(content)),
      ]
    ).line
  }

  /// How a claim ends whose record says so.
  package static func ending(of record: HistoryRecord, trigger: FileName, content: [UInt8]) -> Disposition {
    switch record.outcome {
    case .succeeded: .done(document(record, trigger: trigger, content: content))
    case .expired: .moved(.expired)
    case .rejected: .moved(.rejected)
    case .cancelled: .moved(.cancelled)
    case .failed, .timedOut, .interrupted, .skipped:
      .failed(document(record, trigger: trigger, content: content))
    }
  }
}
