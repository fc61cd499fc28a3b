package import History
package import Posix
package import Text

/// The answer to somebody who asked for a download: given at once, or later in `done/` and `failed/`.
package struct TriggerAnswer: Sendable, Equatable {
  package enum Status: String, Sendable {
    case completed, queued
  }

  package let status: Status
  package let success: Bool?
  package let videosDownloaded: Int?
  package let errorMessage: String?
  package let historyID: Int64?
  package let message: String?
  package let position: Int?
  package let trigger: FileName
  /// Whether the trigger is still in the spool. A queued trigger that is not pending was claimed by a run.
  package let isPending: Bool

  /// The request was carried out or retired, as the record says.
  package init(_ record: HistoryRecord, trigger: FileName) {
    status = .completed
    success = record.outcome == .succeeded
    videosDownloaded = record.videosDownloaded
    errorMessage = record.errorMessage
    historyID = record.id
    message = Self.message(record)
    position = nil
    self.trigger = trigger
    isPending = false
  }

  /// What is known about the request now.
  ///
  /// - Parameter position: nil for a user who may not list the spool, and when the trigger is no longer pending.
  package init(_ progress: TriggerProgress, trigger: FileName, position: Int?, isRunning: Bool) {
    switch progress {
    case .done(let record): self.init(record, trigger: trigger)
    case .pending:
      self.init(
        queued: trigger,
        isRunning ? "Scheduled job in progress. Manual download queued." : "Manual download queued.",
        position: position, isPending: true)
    case .claimed: self.init(queued: trigger, "A run has claimed the manual download.")
    case .unreadable:
      self.init(
        queued: trigger, "A run has claimed the manual download; its result cannot be read by this user.")
    }
  }

  private init(queued trigger: FileName, _ message: String, position: Int? = nil, isPending: Bool = false) {
    status = .queued
    success = nil
    videosDownloaded = nil
    errorMessage = nil
    historyID = nil
    self.message = message
    self.position = position
    self.trigger = trigger
    self.isPending = isPending
  }

  private static func message(_ record: HistoryRecord) -> String {
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

  package var fields: [(name: String, value: JSONValue)] {
    [
      ("status", .string(status.rawValue)), ("success", .optional(success)),
      ("videos_downloaded", .optional(videosDownloaded)), ("error_message", .optional(errorMessage)),
      ("download_history_id", .optional(historyID)), ("message", .optional(message)),
      ("position", .optional(position)), ("trigger", .string(trigger.description)),
    ]
  }
}
