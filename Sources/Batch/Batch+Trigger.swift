package import Channels
package import Posix
import Spool

/// How a request for a download is handled.
package struct SubmissionOptions: Sendable {
  package var user: String?
  /// Only writes the trigger, runs nothing.
  package var isQueueOnly = false
  /// How long to wait for a queued trigger to be done; nil: not at all.
  package var wait: Duration?

  package init() {}
}

/// What has become of a trigger, as far as this user can tell.
package enum TriggerProgress: Sendable {
  case pending
  /// A run has claimed it, and there is no final record yet.
  case takenUp
  /// A run has claimed it, and its end is for others to read.
  case unreadable
  case done(HistoryRecord)
}

/// How asking for a download ended.
package enum WaitResult: Sendable {
  /// The answer says all that was asked for.
  case answered
  case waitRanOut
  /// By a signal, while waiting.
  case stopped
  /// What was waited for can't be read by this user.
  case unreadable
}

extension Instance {
  /// Asks for a channel to be downloaded: writes a trigger durably, then carries it out at once if no run is on.
  ///
  /// RACE: a run may end between our look at its lock and its own last look into the spool. It looks again after
  /// unlocking and finds the trigger (promise 5); should another process take the lock first, that one finds it.
  ///
  /// - Parameter answer: called with the answer as soon as there is one. When the trigger is carried out here, the rest
  ///   of the spool is worked off after that.
  /// - Returns: why there is no more than an answer that it is queued, when one was waited for.
  package func trigger(
    _ channel: Channel, _ options: SubmissionOptions, answer: @escaping @Sendable (TriggerAnswer) -> Void
  ) throws(SystemError) -> WaitResult {
    let submittedAt = Timestamp.now()
    var submitter = Submitter(spool)
    let name = try submitter.submit(channel: Int64(channel.id), user: options.user)
    // In a drop box of others the batch is not ours to run.
    if options.isQueueOnly || !spool.isListable {
      return try answerQueued(name, since: submittedAt, isRunOn: false, options.wait, answer)
    }
    var runOptions = Run.Options()
    runOptions.isSpoolOnly = true
    runOptions.watched = name
    let isAnswered = Monitor(false)
    runOptions.onWatched = { record in
      isAnswered.withLock { $0 = true }
      answer(TriggerAnswer(record, trigger: name))
    }
    switch try run(.manual, runOptions, wait: nil) {
    case .busy:
      let place = try lockFile()
      // Whoever waits takes over when the holder has gone without working the spool off: flock(1), or a run that was
      // killed.
      var next = MonotonicTime.now()
      return try answerQueued(name, since: submittedAt, isRunOn: true, options.wait, answer) {
        () throws(SystemError) in
        guard MonotonicTime.now() >= next, try self.isLeft(name), try !place.isHeld() else { return false }
        if case .completed = try self.run(.manual, runOptions, wait: nil) {
          // Without an answer it had to leave the trigger pending, as the next one now would.
          next = .now() + Self.deferredInterval
        }
        return isAnswered.withLock { $0 }
      }
    // Somebody who may add triggers but not run them has queued one all the same.
    case .forbidden: return try answerQueued(name, since: submittedAt, isRunOn: false, options.wait, answer)
    case .completed: break
    }
    if isAnswered.withLock({ $0 }) { return .answered }
    // Another process took it between the submission and the lock, or it was left pending.
    return try answerQueued(name, since: submittedAt, isRunOn: false, options.wait, answer)
  }

  /// - Parameter takeOver: tries to carry the trigger out; returns whether it has, and given the answer.
  private func answerQueued(
    _ name: FileName, since: Timestamp, isRunOn: Bool, _ wait: Duration?, _ answer: (TriggerAnswer) -> Void,
    takeOver: () throws(SystemError) -> Bool = { false }
  ) throws(SystemError) -> WaitResult {
    let deadline = MonotonicTime.now() + (wait ?? .zero)
    while true {
      let progress = try progress(of: name, since: since)
      let end: WaitResult? =
        switch progress {
        case .done: .answered
        case _ where wait == nil: .answered
        case .unreadable: .unreadable
        case _ where Signals.stop != nil: .stopped
        case _ where .now() >= deadline: .waitRanOut
        case .pending, .takenUp: nil
        }
      if let end {
        let position: Int? =
          if case .pending = progress, spool.isListable { try spool.position(of: name) } else { nil }
        answer(TriggerAnswer(progress, trigger: name, position: position, isRunOn: isRunOn))
        return end
      }
      try Poll.wait(until: min(deadline, .now() + .milliseconds(200)))
      if try takeOver() { return .answered }
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
    // A clock that is set back a little must not hide the record.
    let oldest = since + .seconds(-3_600)
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
    return found.map { .done($0) } ?? .takenUp
  }
}
