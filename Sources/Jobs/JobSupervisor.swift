import Posix

/// Watches one started job to its end: reads its output, stops it when its time is up or the batch is asked to stop, and
/// ends what it leaves behind.
struct JobSupervisor {
  /// How much later than the job the batch may receive a signal that is meant for both.
  private static let signalDelay = Duration.milliseconds(50)
  /// A job that takes longer than this counts as long-running.
  private static let longRunningThreshold = Duration.milliseconds(100)
  /// How much unread output is read after the end: more than anybody but root can make a pipe hold.
  private static let unreadLimit = 64 << 20

  let timeout: Duration
  /// How long the job may write nothing; nil for as long as it likes.
  let stall: Duration?
  /// How long what a job left behind may go on by itself.
  let patience: Duration
  let teardown: Teardown
  /// The exit statuses that are a success.
  let success: [Int32]
  let stop: StopRequest
  /// Called before the job is torn down because the batch is asked to stop, or before its processes are if that signal
  /// ended the job first.
  let onStopping: () -> Void
  /// Called once if the job turns out to be long-running.
  let onLongRunning: () -> Void

  init(
    timeout: Duration, stall: Duration? = nil, stopSignal: Int32 = Signals.terminate, grace: Duration,
    success: [Int32] = [0], patience: Duration = .seconds(1), stop: StopRequest,
    onStopping: @escaping () -> Void = {}, onLongRunning: @escaping () -> Void
  ) {
    self.timeout = timeout
    self.stall = stall
    self.patience = patience
    teardown = .stopping(stopSignal, grace: grace)
    self.success = success
    self.stop = stop
    self.onStopping = onStopping
    self.onLongRunning = onLongRunning
  }

  /// Waits for a started job and for everything that it left behind.
  ///
  /// - Throws: when the system refuses to wait for the job's end. The job is then killed: it must not run on unseen.
  func supervise(
    _ child: consuming ChildProcess, _ pipes: inout OutputPipes, into output: inout JobOutput
  ) throws(SystemError) -> Supervision {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    let processes = JobProcesses(main: child.id)
    let end: MainEnd
    do throws(SystemError) {
      end = try awaitExit(of: child, processes, pipes, buffer, into: &output)
    } catch {
      child.signalGroup(Signals.kill)
      throw error
    }
    guard let exit = end.exit else {
      return abandonHanging(processes, cause: end.cause ?? .timedOut, &output)
    }
    // From here on it is known how the job ended, whatever goes wrong.
    var supervision = Supervision(ending: end.cause ?? .exited(exit))
    do throws(SystemError) {
      if end.cause == nil, let signal = try stopSignal(behind: exit) {
        supervision.ending = .interrupted(signal)
        onStopping()
      }
      supervision.isClean = try !processes.remain()
      var isAnyLeft = !supervision.isClean
      // The processes of a job that was stopped have been asked to end already.
      if isAnyLeft, supervision.ending == .exited(exit) {
        isAnyLeft = try remain(processes, &pipes, buffer, into: &output)
      }
      supervision.endedLeftovers = isAnyLeft
      if isAnyLeft { try endRemaining(processes) }
    } catch {
      supervision.isClean = false
      supervision.trouble = error
    }
    var isEmpty = false
    do throws(SystemError) { isEmpty = try drainPipes(pipes, buffer, into: &output) } catch {
      supervision.trouble = supervision.trouble ?? error
    }
    output.finish()
    if supervision.ending != .exited(exit) || !isEmpty { supervision.isClean = false }
    return supervision
  }

  /// What was learned while the main process ran.
  private struct MainEnd {
    /// Nil when the process hangs in the kernel and heeds no signal.
    var exit: ChildProcess.Exit?
    /// Why it was torn down; nil when it ended by itself.
    var cause: Supervision.Ending?
  }

  /// Reads the job's output until its main process has ended, or could not be ended.
  private func awaitExit(
    of child: borrowing ChildProcess, _ processes: JobProcesses, _ pipes: borrowing OutputPipes,
    _ buffer: UnsafeMutableRawBufferPointer, into output: inout JobOutput
  ) throws(SystemError) -> MainEnd {
    let begin = MonotonicTime.now()
    let timeLimit = begin + timeout
    var silence = Silence(limit: stall, since: begin)
    var longRunningAt: MonotonicTime? = begin + Self.longRunningThreshold
    var cause: Supervision.Ending?
    var descent: Teardown.Descent?
    while true {
      let now = MonotonicTime.now()
      if cause == nil, let reason = teardownReason(now: now, timeLimit, silence) {
        cause = reason
        if case .interrupted = reason { onStopping() }
        let first = Teardown.Descent(teardown, now: now)
        if let signal = first.signal { child.signalGroup(signal) }
        descent = first
        // Both signals may have arrived at once.
        continue
      }
      if descent?.advance(now: now, isUrgent: stop.isUrgent) == true {
        guard let signal = descent?.signal else { return MainEnd(cause: cause) }
        child.signalGroup(signal)
      }
      if let time = longRunningAt, now >= time {
        longRunningAt = nil
        onLongRunning()
        // That may have taken a while.
        continue
      }
      let wakeUp = descent?.deadline ?? min(timeLimit, silence.deadline ?? timeLimit)
      let hasOutput = try readOnce(
        pipes, buffer, until: longRunningAt.map { min($0, wakeUp) } ?? wakeUp, into: &output)
      silence.note(hasOutput: hasOutput, since: now, now: .now())
      if let exit = try processes.reapMain() { return MainEnd(exit: exit, cause: cause) }
    }
  }

  /// Why the job has to be torn down now; nil when it may go on.
  private func teardownReason(
    now: MonotonicTime, _ timeLimit: MonotonicTime, _ silence: Silence
  ) -> Supervision.Ending? {
    if let signal = stop.signal { return .interrupted(signal) }
    if now >= timeLimit { return .timedOut }
    return silence.isTooLong ? .stalled : nil
  }

  /// Waits for output, and reads what has arrived.
  ///
  /// - Returns: whether anything has.
  private func readOnce(
    _ pipes: borrowing OutputPipes, _ buffer: UnsafeMutableRawBufferPointer, until: MonotonicTime,
    into output: inout JobOutput
  ) throws(SystemError) -> Bool {
    let counts = try read(
      pipes, try Poll.wait(pipes.outputNumber, pipes.errorNumber, until: until), buffer, into: &output)
    return (counts.output ?? 0) + (counts.error ?? 0) > 0
  }

  /// Reads once from each pipe that has something.
  ///
  /// - Returns: for each how many bytes came; 0 at its end, nil when there is nothing now.
  private func read(
    _ pipes: borrowing OutputPipes, _ isReady: (output: Bool, error: Bool),
    _ buffer: UnsafeMutableRawBufferPointer, into output: inout JobOutput
  ) throws(SystemError) -> (output: Int?, error: Int?) {
    var counts: (output: Int?, error: Int?)
    if isReady.output, let count = try pipes.readOutput(into: buffer) {
      output.addOutput(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      counts.output = count
    }
    if isReady.error, let count = try pipes.readError(into: buffer) {
      output.addError(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      counts.error = count
    }
    return counts
  }

  /// The signal that stopped both a job and its batch: a shutdown, or `kill` for a whole session, does not wait for the
  /// batch to stop its job.
  ///
  /// RACE: the signal may have reached the job first. If such a signal ended the job, the batch therefore waits some
  /// milliseconds for a signal of its own.
  ///
  /// - Returns: nil when the job ended by itself.
  private func stopSignal(behind exit: ChildProcess.Exit) throws(SystemError) -> Int32? {
    if exit.isByStopSignal { return try stop.wait(until: .now() + Self.signalDelay) }
    if case .status(let status) = exit, success.contains(status) { return nil }
    return stop.signal
  }

  /// Gives what the main process left behind a moment to end by itself, and reads what it writes meanwhile: it may be a
  /// filter through which the job's output passes, as in `exec > >(…)`. Once nobody can write any more there is nothing
  /// to wait for; whoever keeps a pipe open is not waited for either.
  ///
  /// - Returns: whether processes are left.
  private func remain(
    _ processes: JobProcesses, _ pipes: inout OutputPipes, _ buffer: UnsafeMutableRawBufferPointer,
    into output: inout JobOutput
  ) throws(SystemError) -> Bool {
    pipes.closeWriters()
    var (outputNumber, errorNumber) = (pipes.outputNumber, pipes.errorNumber)
    let deadline = MonotonicTime.now() + patience
    while outputNumber >= 0 || errorNumber >= 0, MonotonicTime.now() < deadline, !stop.isUrgent {
      let isReady = try Poll.wait(outputNumber, errorNumber, until: deadline)
      let counts = try read(pipes, isReady, buffer, into: &output)
      if counts.output == 0 { outputNumber = -1 }
      if counts.error == 0 { errorNumber = -1 }
      guard try processes.remain() else { return false }
    }
    return true
  }

  /// Ends what is left of the job's processes by the same ladder as the job itself.
  private func endRemaining(_ processes: JobProcesses) throws(SystemError) {
    var descent = Teardown.Descent(teardown, now: .now())
    while let signal = descent.signal {
      try processes.signalRemaining(signal)
      try Poll.wait(until: min(descent.deadline, .now() + Teardown.signalInterval))
      guard try processes.remain() else { return }
      _ = descent.advance(now: .now(), isUrgent: stop.isUrgent)
    }
    try processes.abandon()
  }

  /// Ends the other processes of the job, as far as possible, when one process hangs in the kernel. The channel's lock,
  /// which the hanging process holds, keeps other jobs away from the channel.
  private func abandonHanging(
    _ processes: JobProcesses, cause: Supervision.Ending, _ output: inout JobOutput
  ) -> Supervision {
    output.finish()
    var supervision = Supervision(ending: cause)
    do throws(SystemError) {
      try processes.signalRemaining(Signals.kill)
      let deadline = MonotonicTime.now() + Teardown.signalInterval
      while MonotonicTime.now() < deadline, try processes.remain() { try Poll.wait(until: deadline) }
      try processes.abandon()
    } catch { supervision.trouble = error }
    return supervision
  }

  /// Reads what is left in the pipes. After the last writer has ended, the pipes hold everything that was written; a
  /// writer that could not be ended is not waited for.
  ///
  /// - Returns: whether the pipes are empty.
  private func drainPipes(
    _ pipes: borrowing OutputPipes, _ buffer: UnsafeMutableRawBufferPointer, into output: inout JobOutput
  ) throws(SystemError) -> Bool {
    var unread = Self.unreadLimit
    while unread > 0 {
      let isReady = try Poll.wait(pipes.outputNumber, pipes.errorNumber, until: .now())
      let counts = try read(pipes, isReady, buffer, into: &output)
      let count = (counts.output ?? 0) + (counts.error ?? 0)
      if count == 0 { return true }
      unread -= count
    }
    return false
  }
}

extension ChildProcess.Exit {
  /// Whether a signal that asks to stop ended the process, directly or as a shell reports it.
  fileprivate var isByStopSignal: Bool {
    switch self {
    case .signal(let signal): Signals.askingToStop.contains(signal)
    case .status(let status): Signals.askingToStop.contains(status - 128)
    }
  }
}
