import Posix

/// The cost of `bobbin watch` while nothing happens. The interval is much shorter than usual, so that hundreds of polls
/// can be measured in a few seconds.
enum WatchRow {
  static func measure(on bench: Workbench) throws -> [Finding] {
    let instance = try bench.instance()
    let watch = try Program(instance.command(bench.bobbin, "watch", "--every", "10ms"))
    // Waits for the start-up, and for the scans of the first three seconds, in which a change might not show in the
    // spool's modification time.
    try pause(.seconds(4))
    var findings = [try processorTime(of: watch.id, on: bench)]
    do { findings.insert(try systemCalls(of: watch.id, on: bench), at: 0) } catch let reason as Unavailable {
      findings.insert(Finding(.watch, "system calls a poll", gap: reason.description), at: 0)
    }
    try stop(watch)
    findings.append(try idleMinute(of: instance, on: bench))
    return findings
  }

  private static func stop(_ watch: consuming Program) throws {
    watch.signal(Signals.terminate)
    let end = try watch.wait()
    if end.status != 128 + Signals.terminate { throw Failure("bobbin watch: exit status \(end.status)") }
  }

  /// With the default interval: 30 polls, 30 checks of the configuration, and two scans, because the spool is scanned
  /// every 30 seconds whatever its time says.
  private static func idleMinute(of instance: BenchmarkInstance, on bench: Workbench) throws -> Finding {
    let watch = try Program(instance.command(bench.bobbin, "watch"))
    try pause(.seconds(4))
    let time = bench.options.isQuick ? 4 : 60
    let before = try ProcessorUse(watch.id)
    try pause(.seconds(time))
    let seconds = try ProcessorUse(watch.id).seconds - before.seconds
    try stop(watch)
    return Finding(
      .watch, "processor time a minute, every 2 s", .seconds, [seconds * 60 / Double(time)],
      goal: .value(.atMost, 10e-3))
  }

  /// Measured between two readings of `/proc`; a poll ends when the process yields the processor voluntarily.
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
      if polls < wanted { throw Failure("bobbin watch polled only \(polls) times") }
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
    // SIGINT makes strace detach from the process and end.
    strace.signal(2)
    _ = try strace.wait()
    let log = String(decoding: (try? PathQueries.read(file, limit: 16 << 20)) ?? [], as: UTF8.self)
    guard let calls = TraceLog.callsPerPoll(log) else {
      throw Unavailable("strace may not trace other processes here")
    }
    // The sleep and the status of the folder; and once a second the status of the configuration.
    return Finding(.watch, "system calls a poll", .calls, [calls], goal: .value(.atMost, 2.05))
  }

  private static func pause(_ time: Duration) throws {
    _ = try Poll.wait(until: .now() + time)
    try Interrupted.check()
  }
}
