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

  enum Ending: Equatable {
    case exited(ChildProcess.Exit)
    case timedOut
    /// The batch was asked to stop by this signal.
    case interrupted(Int32)
  }

  private enum Phase {
    case running
    /// TERM was sent for this reason; KILL follows at the deadline.
    case terminating(Ending)
    case killing(Ending)
  }

  /// How long to wait for processes that survive even KILL (a dead network disk) before giving up on them.
  private static let patienceAfterKill = Duration.seconds(5)

  /// From when on a job is worth mentioning to those who ask what goes on.
  private static let lasting = Duration.milliseconds(100)

  let limits: Limits
  /// Called once if the job lasts.
  let onLasting: () -> Void

  /// Waits for a started job and all it left behind.
  ///
  /// - Throws: when the system refuses to wait. The job is killed then: it must not go on unseen.
  func supervise(_ child: consuming ChildProcess, into output: inout JobOutput) throws(SystemError) -> Ending
  {
    do throws(SystemError) { return try wait(for: child, into: &output) } catch {
      child.signalGroup(Signals.kill)
      throw error
    }
  }

  private func wait(for child: borrowing ChildProcess, into output: inout JobOutput) throws(SystemError)
    -> Ending
  {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    var phase = Phase.running
    let begin = MonotonicTime.now()
    var deadline: MonotonicTime? = begin + limits.timeout
    var mention: MonotonicTime? = begin + Self.lasting
    var exit: ChildProcess.Exit?
    var (isOutputOpen, isErrorOpen) = (true, true)
    while true {
      switch try reapAll(main: child.id) {
      case .mainExited(let ended): exit = exit ?? ended
      case .nothing: break
      }
      if exit != nil { break }
      if let signal = Signals.stop {
        if case .running = phase {
          phase = .terminating(.interrupted(signal))
          deadline = .now() + limits.grace
          child.signalGroup(Signals.terminate)
        }
        // A second one means "at once".
        if Signals.stopCount > 1 { deadline = .now() }
      }
      if let limit = deadline, MonotonicTime.now() >= limit {
        switch phase {
        case .running:
          phase = .terminating(.timedOut)
          deadline = .now() + limits.grace
          child.signalGroup(Signals.terminate)
        case .terminating(let ending):
          phase = .killing(ending)
          deadline = nil
          child.signalGroup(Signals.kill)
        case .killing: break
        }
        continue
      }
      if let moment = mention, MonotonicTime.now() >= moment {
        mention = nil
        onLasting()
      }
      let ready = try Poll.wait(
        isOutputOpen ? child.output.number : -1, isErrorOpen ? child.error.number : -1,
        until: [deadline, mention].compactMap { $0 }.min())
      if ready[0] { isOutputOpen = try read(child.output, buffer) { output.addOutput($0) } }
      if ready[1] { isErrorOpen = try read(child.error, buffer) { output.addError($0) } }
    }
    // What the job wrote before it ended is in the pipes; what a daemon keeps open is not waited for.
    if isOutputOpen { try drain(child.output, buffer) { output.addOutput($0) } }
    if isErrorOpen { try drain(child.error, buffer) { output.addError($0) } }
    try endRemains(group: child.id)
    output.finish()
    return switch phase {
    case .running: .exited(exit!)
    case .terminating(let ending), .killing(let ending): ending
    }
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
      // Somebody else took the exit: cannot happen while this is the only place that waits.
      case .childless: return .mainExited(.status(127))
      }
    }
  }

  /// Ends what is left of the job's processes, in whatever group or session.
  private func endRemains(group: Int32) throws(SystemError) {
    guard try remain() else { return }
    for (signal, patience) in [
      (Signals.terminate, limits.grace), (Signals.kill, Self.patienceAfterKill),
    ] {
      let deadline = MonotonicTime.now() + patience
      while MonotonicTime.now() < deadline {
        // Again each time round: a process may have been about to start another.
        try Children.signalDescendants(signal)
        _ = try Poll.wait(until: min(deadline, .now() + .milliseconds(50)))
        guard try remain() else { return }
        if Signals.stopCount > 1 { break }
      }
    }
  }

  private func remain() throws(SystemError) -> Bool {
    while true {
      switch try Children.reap() {
      case .exited: continue
      case .none: return true
      case .childless: return false
      }
    }
  }

  /// - Returns: whether more may come.
  private func read(
    _ pipe: borrowing Descriptor, _ buffer: UnsafeMutableRawBufferPointer,
    _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(SystemError) -> Bool {
    guard let count = try pipe.read(into: buffer) else { return true }
    if count > 0 { body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
    return count > 0
  }

  private func drain(
    _ pipe: borrowing Descriptor, _ buffer: UnsafeMutableRawBufferPointer,
    _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(SystemError) {
    // At most what a pipe can hold, so that a daemon that never stops writing cannot keep the batch here.
    var rest = 1 << 20
    while rest > 0, let count = try pipe.read(into: buffer), count > 0 {
      body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      rest -= count
    }
  }
}
