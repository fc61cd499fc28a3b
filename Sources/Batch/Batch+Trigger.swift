package import Channels
package import Posix
import Spool

/// How a request for a download is handled.
package struct TriggerRequestOptions: Sendable {
  package var user: String?
  /// Only writes the trigger, runs nothing.
  package var isQueueOnly = false
  /// How long to wait for a queued trigger to be done; nil: not at all.
  package var wait: Duration?

  package init() {}
}

extension Batch {
  /// Asks for a channel to be downloaded: writes a trigger durably, then carries it out at once if no run is on.
  ///
  /// RACE: a run may end between our look at its lock and its own last look into the spool. It looks again after
  /// unlocking and finds the trigger (promise 5); should another process take the lock first, that one finds it.
  ///
  /// - Parameter answer: called with the answer as soon as there is one. When the trigger is carried out here, the rest
  ///   of the spool is worked off after that.
  /// - Returns: false when the wait for a queued trigger ran out.
  package func trigger(
    _ channel: Channel, _ options: TriggerRequestOptions, answer: @escaping @Sendable (TriggerAnswer) -> Void
  ) throws(SystemError) -> Bool {
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
    let isAnswered = Shared(false)
    runOptions.onWatched = { record in
      isAnswered.access { $0 = true }
      answer(TriggerAnswer(record, trigger: name))
    }
    switch try run(.manual, runOptions, wait: nil) {
    case .busy:
      let place = try lockPlace()
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
        return isAnswered.access { $0 }
      }
    // Somebody who may add triggers but not run them has queued one all the same.
    case .forbidden: return try answerQueued(name, since: submittedAt, isRunOn: false, options.wait, answer)
    case .completed: break
    }
    if isAnswered.access({ $0 }) { return true }
    // Another process took it between the submission and the lock, or it was left pending.
    return try answerQueued(name, since: submittedAt, isRunOn: false, options.wait, answer)
  }

  /// - Parameter takeOver: tries to carry the trigger out; returns whether it has, and given the answer.
  private func answerQueued(
    _ name: FileName, since: Timestamp, isRunOn: Bool, _ wait: Duration?, _ answer: (TriggerAnswer) -> Void,
    takeOver: () throws(SystemError) -> Bool = { false }
  ) throws(SystemError) -> Bool {
    if let done = try finalRecord(of: name, since: since) {
      answer(TriggerAnswer(done, trigger: name))
      return true
    }
    if let wait {
      let deadline = MonotonicTime.now() + wait
      while MonotonicTime.now() < deadline, Signals.stop == nil {
        try Poll.wait(until: min(deadline, .now() + .milliseconds(200)))
        if try takeOver() { return true }
        if let done = try finalRecord(of: name, since: since) {
          answer(TriggerAnswer(done, trigger: name))
          return true
        }
      }
    }
    let position = spool.isListable ? try spool.position(of: name) : nil
    answer(TriggerAnswer(queued: name, position: position, isRunOn: isRunOn))
    return wait == nil
  }

  /// Whether a run would find a trigger: pending, or claimed by a run that was killed.
  private func isLeft(_ name: FileName) throws(SystemError) -> Bool {
    if try spool.root.status(of: name) != nil { return true }
    return try abandonedClaims().contains { $0.trigger == name }
  }

  /// The last record of a trigger that is done; nil while it is pending or running, and for somebody who may not read
  /// the history.
  ///
  /// - Parameter since: when the trigger was written. Records that are clearly older are not searched.
  package func finalRecord(of name: FileName, since: Timestamp) throws(SystemError) -> HistoryRecord? {
    guard spool.isListable, try spool.root.status(of: name) == nil else { return nil }
    // A clock that is set back a little must not hide the record.
    let oldest = since + .seconds(-3_600)
    var found: HistoryRecord?
    do throws(SystemError) {
      try HistoryReader.forEachLineNewestFirst(in: spool.root) { line in
        guard let record = HistoryReader.record(line) else { return true }
        if record.trigger == name, !record.isRequeued { found = record }
        return found == nil && record.finishedAt > oldest
      }
    } catch { if !error.isRefusal { throw error } }
    return found
  }
}
