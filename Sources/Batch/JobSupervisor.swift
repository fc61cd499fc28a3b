import Posix

/// Runs one command to its end, whatever it does: counts and logs its output, stops it when its time is up or the
/// batch is asked to stop, and ends what it leaves behind.
///
/// The ladder is TERM to the process group, `grace`, KILL. Processes that moved to another group or session are found
/// because they become children of the batch when their parents die (see `Children.adoptOrphans`).
struct JobSupervisor {
  struct Limits {
    let timeout: Duration
    let grace: Duration
  }

  enum Disposition: Equatable {
    case exited(ChildProcess.Exit)
    case timedOut
    /// The batch was asked to stop by this signal.
    case interrupted(Int32)
  }

  private enum Phase {
    case running
    /// TERM was sent for this reason; KILL follows at the deadline.
    case terminating(Disposition)
    case killing(Disposition)
  }

  /// How long to wait for processes that survive even KILL (a dead network disk) before giving up on them.
  private static let patienceAfterKill = Duration.seconds(5)

  /// How much later than its job a signal for both may reach the batch.
  private static let signalDelay = Duration.milliseconds(50)

  /// From when on a job is worth mentioning to those who ask what goes on.
  private static let lasting = Duration.milliseconds(100)

  /// How a job ended.
  struct Outcome {
    var ending: Disposition
    /// It ended by itself, and left no process and no output behind. Then nobody holds its pipes (but one who was handed
    /// them on purpose, or took them out of `/proc`: both can do worse).
    var isClean = false
    /// Why what it left behind could not be looked for, or not be ended.
    var trouble: SystemError?
  }

  let limits: Limits
  /// Called once if the job lasts.
  let onLasting: () -> Void

  /// Waits for a started job and all it left behind.
  ///
  /// - Throws: when the system refuses to wait for its end. The job is killed then: it must not go on unseen.
  func supervise(
    _ child: consuming ChildProcess, _ pipes: borrowing OutputPipes, into output: inout JobOutput
  ) throws(SystemError) -> Outcome {
    do throws(SystemError) { return try wait(for: child, pipes, into: &output) } catch {
      child.signalGroup(Signals.kill)
      throw error
    }
  }

  private func wait(
    for child: borrowing ChildProcess, _ pipes: borrowing OutputPipes, into output: inout JobOutput
  ) throws(SystemError) -> Outcome {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    var phase = Phase.running
    let begin = MonotonicTime.now()
    var deadline: MonotonicTime? = begin + limits.timeout
    var mention: MonotonicTime? = begin + Self.lasting
    var exit: ChildProcess.Exit?
    while exit == nil {
      if let signal = Signals.stop {
        if case .running = phase {
          phase = .terminating(.interrupted(signal))
          deadline = .now() + limits.grace
          child.signalGroup(Signals.terminate)
        }
        // A second one means "at once".
        if case .terminating = phase, Signals.stopCount > 1 { deadline = .now() }
      }
      if let limit = deadline, MonotonicTime.now() >= limit {
        switch phase {
        case .running:
          phase = .terminating(.timedOut)
          deadline = .now() + limits.grace
          child.signalGroup(Signals.terminate)
        case .terminating(let ending):
          phase = .killing(ending)
          deadline = .now() + Self.patienceAfterKill
          child.signalGroup(Signals.kill)
        case .killing(let ending):
          // It hangs in the kernel. Its channel's lock, which it holds, keeps another job away from it.
          output.finish()
          var outcome = Outcome(ending: ending)
          do throws(SystemError) { try leaveHanging() } catch { outcome.trouble = error }
          return outcome
        }
        continue
      }
      if let moment = mention, MonotonicTime.now() >= moment {
        mention = nil
        onLasting()
      }
      let (hasOutput, hasError) = try Poll.wait(
        pipes.outputNumber, pipes.errorNumber, until: Self.earlier(deadline, mention))
      if hasOutput, let bytes = try Self.received(pipes.readOutput(into: buffer), buffer) {
        output.addOutput(bytes)
      }
      if hasError, let bytes = try Self.received(pipes.readError(into: buffer), buffer) {
        output.addError(bytes)
      }
      switch try reapAll(main: child.id) {
      case .mainExited(let ended): exit = ended
      case .nothing: break
      }
    }
    // How it ended is known, whatever goes wrong from here on.
    var outcome = Outcome(ending: .exited(exit!))
    do throws(SystemError) {
      if case .running = phase, let signal = try stopSignal(behind: exit!) {
        phase = .terminating(.interrupted(signal))
      }
      outcome.isClean = try !remain()
      if !outcome.isClean { try endRemains() }
    } catch {
      outcome.isClean = false
      outcome.trouble = error
    }
    var isEmpty = false
    do throws(SystemError) { isEmpty = try readRest(of: pipes, buffer, into: &output) } catch {
      outcome.trouble = outcome.trouble ?? error
    }
    output.finish()
    switch phase {
    case .running: outcome.isClean = outcome.isClean && isEmpty
    case .terminating(let ending), .killing(let ending):
      outcome.ending = ending
      outcome.isClean = false
    }
    return outcome
  }

  /// After the last writer is gone, all that was written is here; what one that can't be ended still writes is not waited
  /// for.
  ///
  /// - Returns: whether nothing is left.
  private func readRest(
    of pipes: borrowing OutputPipes, _ buffer: UnsafeMutableRawBufferPointer, into output: inout JobOutput
  ) throws(SystemError) -> Bool {
    let (hasOutput, hasError) = try Poll.wait(pipes.outputNumber, pipes.errorNumber, until: .now())
    var isEmpty = true
    if hasOutput {
      isEmpty = try Self.drain { () throws(SystemError) in
        try Self.received(pipes.readOutput(into: buffer), buffer)
      } to: {
        output.addOutput($0)
      }
    }
    if hasError {
      isEmpty =
        try Self.drain { () throws(SystemError) in
          try Self.received(pipes.readError(into: buffer), buffer)
        } to: {
          output.addError($0)
        } && isEmpty
    }
    return isEmpty
  }

  /// The signal that stopped both, a job and its batch: a shutdown, or `kill` for a whole session, does not wait for the
  /// batch to stop its job.
  ///
  /// RACE: the job may have been hit first. An end by such a signal is therefore given a moment to reach the batch, too.
  ///
  /// - Returns: nil when the job ended by itself.
  private func stopSignal(behind exit: ChildProcess.Exit) throws(SystemError) -> Int32? {
    if exit == .status(0) { return nil }
    if exit.isOfStopSignal {
      let deadline = MonotonicTime.now() + Self.signalDelay
      while Signals.stop == nil, MonotonicTime.now() < deadline { try Poll.wait(until: deadline) }
    }
    return Signals.stop
  }

  private static func earlier(_ one: MonotonicTime?, _ other: MonotonicTime?) -> MonotonicTime? {
    guard let one, let other else { return one ?? other }
    return min(one, other)
  }

  private enum Reaping {
    case mainExited(ChildProcess.Exit)
    case nothing
  }

  /// Takes the exits of all children that have ended, adopted ones among them.
  private func reapAll(main: Int32) throws(SystemError) -> Reaping {
    while true {
      switch try Children.reap() {
      case .exited(main, let exit): return .mainExited(exit)
      case .exited: continue
      case .none: return .nothing
      // Cannot happen while this is the only place that waits.
      case .childless: throw SystemError("wait for a job (somebody else took its exit status)", nil, .noChild)
      }
    }
  }

  /// Ends what is left of the job's processes, in whatever group or session.
  private func endRemains() throws(SystemError) {
    for (signal, patience) in [
      (Signals.terminate, limits.grace), (Signals.kill, Self.patienceAfterKill),
    ] {
      let deadline = MonotonicTime.now() + patience
      while MonotonicTime.now() < deadline {
        // Again each time round: a process may have been about to start another.
        try Children.signalDescendants(signal)
        try Poll.wait(until: min(deadline, .now() + .milliseconds(50)))
        guard try remain() else { return }
        if signal == Signals.terminate, Signals.stopCount > 1 { break }
      }
    }
    // Later jobs must not wait for them, too.
    try Children.giveUp()
  }

  /// Ends what can be ended beside a process that hangs.
  private func leaveHanging() throws(SystemError) {
    try Children.signalDescendants(Signals.kill)
    let deadline = MonotonicTime.now() + .milliseconds(50)
    while MonotonicTime.now() < deadline, try remain() { try Poll.wait(until: deadline) }
    try Children.giveUp()
  }

  private func remain() throws(SystemError) -> Bool {
    while true {
      switch try Children.reap() {
      case .exited: continue
      case .none: return try Children.hasOthers()
      case .childless: return false
      }
    }
  }

  /// What a read brought; nil when there is nothing now.
  private static func received(
    _ count: Int?, _ buffer: UnsafeMutableRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    guard let count, count > 0 else { return nil }
    return UnsafeRawBufferPointer(rebasing: buffer[..<count])
  }

  /// Reads until nothing comes, but not for ever: one that never stops writing must not keep the batch here.
  ///
  /// - Returns: whether nothing is left.
  private static func drain(
    _ readOnce: () throws(SystemError) -> UnsafeRawBufferPointer?, to add: (UnsafeRawBufferPointer) -> Void
  ) throws(SystemError) -> Bool {
    // More than a pipe can be made to hold by anybody but root.
    var rest = 64 << 20
    while rest > 0 {
      guard let bytes = try readOnce() else { return true }
      add(bytes)
      rest -= bytes.count
    }
    return false
  }
}

extension ChildProcess.Exit {
  /// An end by a signal that asks to stop, by itself or as a shell tells of it.
  fileprivate var isOfStopSignal: Bool {
    switch self {
    case .signal(let signal): Signals.askingToStop.contains(signal)
    case .status(let status): Signals.askingToStop.contains(status - 128)
    }
  }
}
