import Posix

/// What `bobbin watch` costs while nothing happens. Polls far more often than it would, so that hundreds can be
/// measured in some seconds.
enum WatchRow {
  static func measure(on bench: Workbench) throws -> [Finding] {
    let instance = try bench.instance()
    let watch = try Program(instance.command(bench.bobbin, "watch", "--every", "10ms"))
    // Start-up, and the looks of the first three seconds, in which a change might not show in the spool's time.
    try pause(.seconds(4))
    var findings = [try processorTime(of: watch.id, on: bench)]
    do { findings.insert(try systemCalls(of: watch.id, on: bench), at: 0) } catch let reason as Unavailable {
      findings.insert(Finding(.watch, "system calls a poll", gap: reason.description), at: 0)
    }
    watch.signal(Signals.terminate)
    let end = try watch.wait()
    if end.status != 128 + Signals.terminate { throw Failure("bobbin watch: exit status \(end.status)") }
    return findings
  }

  /// Between two points of time; a poll ends when the process yields the processor voluntarily.
  private static func processorTime(of process: Int32, on bench: Workbench) throws -> Finding {
    let turns = bench.options.count(5)
    var samples: [Double] = []
    for turn in 1...turns {
      bench.progress(.watch, turn, of: turns)
      let before = try ProcessorUse(process)
      var after = before
      let wanted = bench.options.isQuick ? 50 : 200
      for _ in 0..<20 where after.sleeps - before.sleeps < wanted {
        try pause(.milliseconds(wanted * 6))
        after = try ProcessorUse(process)
      }
      let polls = after.sleeps - before.sleeps
      if polls < wanted { throw Failure("bobbin watch polled \(polls) times only") }
      samples.append((after.seconds - before.seconds) / Double(polls))
    }
    return Finding(.watch, "processor time a poll", .seconds, samples, goal: .value(.atMost, 40e-6))
  }

  private static func systemCalls(of process: Int32, on bench: Workbench) throws -> Finding {
    let file = bench.path("strace")
    let strace = try Program([
      try Program.find("strace"), "-f", "-q", "-e", "signal=none", "-o", file, "-p", "\(process)",
    ])
    try pause(.seconds(bench.options.isQuick ? 1 : 3))
    // It lets go of the process and ends.
    strace.signal(2)
    _ = try strace.wait()
    let log = String(decoding: (try? PathQueries.read(file, limit: 16 << 20)) ?? [], as: UTF8.self)
    guard let calls = TraceLog.callsPerPoll(log) else {
      throw Unavailable("strace may not trace other processes here")
    }
    return Finding(.watch, "system calls a poll", .calls, [calls], goal: .value(.atMost, 2))
  }

  private static func pause(_ time: Duration) throws {
    _ = try Poll.wait(until: .now() + time)
    try Interrupted.check()
  }
}
