import Channels
package import Posix
import Spool

/// What became of a trigger that was to be cancelled.
package enum Cancellation: Sendable, Equatable {
  case cancelled
  /// No pending trigger of that name: there never was one, or it is being run, or it is done.
  case notPending
  /// It can't be taken: it is immutable, or another user's directory.
  case immovable(SystemError)
}

extension Instance {
  /// Pending → cancelled. Works while a run is on: whoever claims a trigger first has it.
  package func cancel(_ names: [FileName]) throws(SystemError) -> [Cancellation] {
    try giveUpEach { disposal throws(SystemError) in
      var results: [Cancellation] = []
      let inspector = inspector()
      for name in names {
        do throws(SystemError) { results.append(try cancel(name, disposal, inspector)) } catch {
          // What is wrong with this one file is no reason to leave the others.
          guard error.path == spool.root.path(of: name), !error.isShortage, !error.isDiskFull else {
            throw error
          }
          results.append(.immovable(error))
        }
      }
      return results
    }
  }

  private func cancel(
    _ name: FileName, _ disposal: TriggerRetirer, _ inspector: Inspector
  ) throws(SystemError) -> Cancellation {
    guard !name.bytes.contains(UInt8(ascii: "/")), TriggerName.isTrigger(name.bytes) else {
      return .notPending
    }
    // Again when another file came under the name meanwhile: whatever has it is to be cancelled.
    while let file = try status(of: name) {
      var trigger: Trigger?
      if case .settled(let settled) = try inspector.inspect(name, now: .now()) { trigger = settled }
      switch try disposal.giveUp(
        name, file, .cancelled, "cancelled", run: nil, channel: trigger.flatMap { channel(of: $0) },
        trigger: trigger)
      {
      case .done:
        log.info("trigger cancelled", ["trigger": name.description])
        return .cancelled
      case .gone: continue
      case .immovable(let error): return .immovable(error)
      }
    }
    return .notPending
  }

  /// Nothing has a name that is longer than the file system allows.
  private func status(of name: FileName) throws(SystemError) -> FileStatus? {
    do throws(SystemError) { return try spool.root.status(of: name) } catch {
      if error.code == .nameTooLong { return nil }
      throw error
    }
  }

  /// Takes every pending trigger out.
  package func cancelAll() throws(SystemError) -> [(trigger: FileName, result: Cancellation)] {
    var pending = PendingList()
    try pending.refresh(from: spool.root, skipping: [])
    var names: [FileName] = []
    while let name = pending.first {
      pending.removeFirst()
      names.append(name)
    }
    return Array(zip(names, try cancel(names)))
  }

  /// Expires what is stale now, and removes what has been kept long enough. Works while a run is on; age is then judged
  /// by the moment at which that run began, as the run itself does.
  ///
  /// - Returns: how many triggers were expired, how many of the stale ones are left because they can't be moved, and how
  ///   many old files were removed.
  package func prune(
    now: Timestamp = .now()
  ) throws(SystemError) -> (expired: Int, left: Int, removed: Int) {
    let place = try lockFile()
    var moment = now
    if try place.isHeld(), let holder = try place.livingHolder(asSeenBy: owner),
      let began = Timestamp(rfc3339: holder.startedAt)
    {
      moment = min(now, began)
    }
    let store = try store()
    let (expired, left) = try giveUpEach { disposal throws(SystemError) in
      var (expired, left) = (0, 0)
      var pending = PendingList()
      try pending.refresh(from: spool.root, skipping: [])
      let inspector = inspector()
      while let name = pending.first {
        pending.removeFirst()
        guard case .settled(let trigger) = try inspector.inspect(name, now: .now()),
          case .success = trigger.channels, trigger.isStale(at: moment, after: configuration.expireAfter)
        else { continue }
        let (time, age) = (trigger.requestedAt.rfc3339(), (moment - trigger.requestedAt).brief)
        switch try disposal.giveUp(
          name, trigger.file, .expired, "requested at \(time), \(age) ago", run: nil,
          channel: channel(of: trigger), trigger: trigger)
        {
        case .done: break
        case .gone: continue
        case .immovable(let error):
          log.warning(
            "trigger left pending: it cannot be moved: \(error) (is it immutable, mounted on, or another user's"
              + " directory? mend that, or remove it)", ["trigger": name.description])
          left += 1
          continue
        }
        log.warning(
          "trigger expired",
          [
            "trigger": name.description, "timestamp": time, "age": age,
            "limit": configuration.expireAfter?.brief, "moved_to": store[.expired].path,
          ])
        expired += 1
      }
      return (expired, left)
    }
    let removed = try ResultRetention(store: store, keepResults: configuration.keepResults, now: now).perform()
    return (expired, left, removed)
  }

  func channel(of trigger: Trigger) -> (id: Int64, name: String)? {
    guard case .success(let references) = trigger.channels else { return nil }
    switch resolve(references) {
    case .found(let channel), .disabled(let channel, _): return (Int64(channel.id), channel.name)
    case .unknown: return nil
    }
  }

  /// Lends `body` what it needs to give triggers up, and makes the records durable afterwards.
  private func giveUpEach<Result>(
    _ body: (TriggerRetirer) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let store = try store()
    let claims = ClaimFolder(store, owner: owner)
    let recorder = try Recorder(store)
    let ids = try HistoryIDs(store)
    let result = try body(TriggerRetirer(store: store, ids: ids, claims: claims, recorder: recorder))
    try recorder.flush()
    try ids.sync()
    try claims.close()
    return result
  }
}
