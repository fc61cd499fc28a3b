package import Posix

/// A trigger that was read: its name, its file, and what it says.
package struct Trigger: Sendable {
  package let name: FileName
  package let file: FileStatus
  package let bytes: [UInt8]
  package let content: TriggerContent
  /// When it was requested: its timestamp, or the time in its name, or its modification time; never later than
  /// its change time, which nobody can set, so that a time in the future does not make it immortal.
  package let requestedAt: Timestamp
  /// Whether its content or its name says when it was requested, rather than the file's modification time.
  package let statesTime: Bool

  /// A file that arrived so much later than its request's time was old when it came.
  private static let arrivalTolerance = Duration.seconds(60)

  package init(name: FileName, file: FileStatus, bytes: [UInt8]) {
    self.init(name: name, file: file, bytes: bytes, content: TriggerContent(bytes))
  }

  /// A file that the batch's user may not read.
  init(unreadable name: FileName, file: FileStatus) {
    let reason = "it may not be read by the batch's user (uid \(CurrentProcess.effectiveUser))"
    self.init(name: name, file: file, bytes: [], content: .invalid(reason))
  }

  private init(name: FileName, file: FileStatus, bytes: [UInt8], content: TriggerContent) {
    self.name = name
    self.file = file
    self.bytes = bytes
    self.content = content
    var stated = TriggerName.time(in: name)
    if case .object(let request) = content, let time = request.timestamp {
      stated = time.nearest(to: file.changed)
    }
    statesTime = stated != nil
    requestedAt = Self.requestTime(stated, file)
  }

  /// When the file came to the spool, or was last renamed or given another mode there, if that is clearly later than the
  /// time of its request: `cp -p`, `mv` and `rsync -a` bring an old modification time along, and a program may state an
  /// old time. Nil otherwise.
  package var lateArrival: Timestamp? {
    file.changed - requestedAt > Self.arrivalTolerance ? file.changed : nil
  }

  /// - Parameter stated: the time that the trigger's content states, otherwise the time in its name.
  package static func requestTime(_ stated: Timestamp?, _ file: FileStatus) -> Timestamp {
    min(stated ?? file.modified, file.changed)
  }

  package var user: String? {
    if case .object(let request) = content { return request.user }
    return nil
  }

  /// What is wrong with it that does not keep it from being run.
  package var warnings: [String] {
    if case .object(let request) = content { return request.warnings }
    return []
  }

  /// The references to its channel; if there are several, they must all lead to the same channel.
  ///
  /// - Returns: a failure with the reason when the file cannot be a trigger.
  package var channels: Result<[ChannelReference], RejectReason> {
    switch content {
    case .empty:
      guard let channel = TriggerName.channel(in: name) else {
        return .failure(RejectReason("empty, and its name does not state a channel"))
      }
      return .success([channel])
    case .scalar(let channel): return .success([channel])
    case .object(let request): return .success(request.channels)
    case .invalid(let reason): return .failure(RejectReason(reason))
    }
  }

  /// Whether the trigger was requested longer ago than a limit.
  ///
  /// - Parameter now: when the run took the lock, so that a long run never expires a trigger that arrived meanwhile.
  package func isStale(asOf now: Timestamp, after limit: Duration?) -> Bool {
    Self.isStale(requestedAt, asOf: now, after: limit)
  }

  package static func isStale(_ requestedAt: Timestamp, asOf now: Timestamp, after limit: Duration?) -> Bool {
    guard let limit else { return false }
    return now - requestedAt > limit
  }
}
