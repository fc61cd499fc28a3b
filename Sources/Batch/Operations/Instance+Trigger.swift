package import Channels
import History
import Jobs
package import Posix
import Spool

extension Instance {
  /// How often a trigger that somebody waits for is checked.
  private static let progressInterval = Duration.milliseconds(200)
  /// Records this much older than a trigger are still searched: the clock may have been set back a little.
  static let clockTolerance = Duration.seconds(3_600)

  /// Asks for a channel to be downloaded: writes a trigger durably, then carries it out at once if no run is active.
  ///
  /// RACE: a run may end between our check of its lock and its own last scan of the spool. It scans again after
  /// unlocking and finds the trigger (promise 5); if another process takes the lock first, that process finds it.
  ///
  /// - Parameter answer: called with the answer as soon as there is one. When the trigger is carried out here, the rest
  ///   of the spool is drained after that.
  /// - Returns: how the wait ended.
  package func trigger(
    _ channel: Channel, _ options: SubmissionOptions, answer: @escaping @Sendable (TriggerAnswer) -> Void
  ) throws(SystemError) -> WaitResult {
    let submittedAt = Timestamp.now()
    var submitter = Submitter(spool)
    let name = try submitter.submit(channel: channel.id, user: options.user)
    func answerQueued(
      isRunning: Bool, takeOver: () throws(SystemError) -> WaitResult? = { nil }
    ) throws(SystemError) -> WaitResult {
      try self.answerQueued(
        name, since: submittedAt, isRunning: isRunning, wait: options.wait, answer, takeOver: takeOver)
    }
    // In another user's drop box this user may not run the batch.
    if options.isQueueOnly || !spool.isListable { return try answerQueued(isRunning: false) }
    let ending = Monitor<WaitResult?>(nil)
    var runOptions = RunOptions()
    runOptions.isSpoolOnly = true
    runOptions.watched = .init(
      name: name,
      onFault: { reason in
        ending.withLock { $0 = .faulty(trigger: name.description, reason: reason) }
      },
      onRecorded: { record in
        ending.withLock { $0 = .answered }
        answer(TriggerAnswer(record, trigger: name))
      })
    switch try run(.manual, runOptions, wait: .nobody) {
    case .busy:
      let takeOver = try takeOver(name, runOptions, ending)
      return try answerQueued(isRunning: true, takeOver: takeOver)
    case .forbidden, .completed:
      // A trigger of a user who may add triggers but not run them is queued nevertheless. If our run gave no answer,
      // another process took the trigger between the submission and the lock, or the trigger was left pending.
      if let result = ending.withLock({ $0 }) { return result }
      return try answerQueued(isRunning: false)
    }
  }

  /// How a waiting submitter takes over when the holder of the lock has gone without draining the spool: the holder was
  /// flock(1), or a run that was killed.
  ///
  /// - Returns: a function that tries it, and returns how the wait ended, nil when it goes on.
  private func takeOver(
    _ name: FileName, _ options: RunOptions, _ ending: Monitor<WaitResult?>
  ) throws(SystemError) -> () throws(SystemError) -> WaitResult? {
    let lockFile = try lockFile()
    let nextAttempt = Monitor(MonotonicTime.now())
    return { () throws(SystemError) in
      guard MonotonicTime.now() >= nextAttempt.withLock({ $0 }), try self.isLeft(name),
        try !lockFile.isHeld()
      else { return nil }
      if case .completed = try self.run(.manual, options, wait: .nobody) {
        // Without an answer the run had to leave the trigger pending, as another run now would.
        nextAttempt.withLock { $0 = .now() + Self.deferredInterval }
      }
      return ending.withLock { $0 }
    }
  }

  /// - Parameter takeOver: tries to carry the trigger out; returns how the wait ended, nil when it goes on.
  private func answerQueued(
    _ name: FileName, since: Timestamp, isRunning: Bool, wait: Duration?,
    _ answer: (TriggerAnswer) -> Void, takeOver: () throws(SystemError) -> WaitResult?
  ) throws(SystemError) -> WaitResult {
    let deadline = MonotonicTime.now() + (wait ?? .zero)
    while true {
      let progress = try progress(of: name, since: since)
      if let result = waitResult(progress, isWaiting: wait != nil, deadline) {
        let position: Int? =
          if case .pending = progress, spool.isListable { try spool.position(of: name) } else { nil }
        answer(TriggerAnswer(progress, trigger: name, position: position, isRunning: isRunning))
        return result
      }
      try Poll.wait(until: min(deadline, .now() + Self.progressInterval))
      if let result = try takeOver() { return result }
    }
  }

  /// How the wait ends now; nil when it goes on.
  private func waitResult(
    _ progress: TriggerProgress, isWaiting: Bool, _ deadline: MonotonicTime
  ) -> WaitResult? {
    switch progress {
    case .done: return .answered
    case _ where !isWaiting: return .answered
    case .unreadable: return .unreadable
    case .pending, .claimed:
      if stop.signal != nil { return .stopped }
      return .now() >= deadline ? .ranOut : nil
    }
  }

  /// Whether a run would find a trigger: pending, or claimed by a run that was killed.
  private func isLeft(_ name: FileName) throws(SystemError) -> Bool {
    if try spool.root.status(of: name) != nil { return true }
    return try abandonedClaims().contains { $0.trigger == name }
  }

  /// What has become of a trigger.
  ///
  /// - Parameter since: when the trigger was written. Records that are clearly older are not searched.
  package func progress(of name: FileName, since: Timestamp) throws(SystemError) -> TriggerProgress {
    if try spool.root.status(of: name) != nil { return .pending }
    if !spool.isListable { return .unreadable }
    let oldest = since + (.zero - Self.clockTolerance)
    var found: HistoryRecord?
    do throws(SystemError) {
      try HistoryReader.forEachLineNewestFirst(in: spool.root) { line in
        guard let record = HistoryReader.record(line) else { return true }
        if record.trigger == name, !record.isRequeued { found = record }
        return found == nil && record.finishedAt > oldest
      }
    } catch {
      guard error.isRefusal else { throw error }
      return .unreadable
    }
    return found.map { .done($0) } ?? .claimed
  }
}
