import History
import Posix
import Text

/// The cost of a trigger in a drain, by the size of the spool.
///
/// A small spool is drained completely, and the time of the program is divided by the number of triggers. A large spool
/// is drained only in part: after some seconds the run is asked to stop, and the rest stays. The history then shows the
/// time from the start of one job to the start of the next, while almost the whole spool is pending. The work before
/// the first job (reading all names and checking all files) happens once in each run, so its time is divided among all
/// triggers of the spool and added. Because the spool only shrinks, a complete drain costs at most as much.
struct DrainCost: Codable, Equatable {
  struct Point: Codable, Equatable {
    let files: Int
    /// Seconds for each trigger: the median of `samples`.
    let cost: Double
    let samples: [Double]
  }

  /// Seconds to start /bin/true and wait for it, measured before, between and after the points.
  let bareSpawn: Double
  let points: [Point]

  /// Jobs at the beginning of a run that are not counted, while caches fill and the recorder reaches a steady rate.
  private static let skipped = 200
  /// A spool with at most this many triggers is drained completely.
  private static let wholeUpTo = 10_000
  /// A part of a drain contains at least this many jobs.
  private static let fewestJobs = 2_000
  /// A part of a drain continues for this long after the first record. The spool is scanned once a second, and so is
  /// scanned several times.
  private static let shortestTime = Duration.seconds(10)

  static func measure(on bench: Workbench) throws -> DrainCost {
    var bare: [Double] = []
    var points: [Point] = []
    for files in bench.sizes.plot {
      bare.append(try bench.spawn(bench.sizes.drain) / Double(bench.sizes.drain))
      // Short drains vary more, and cost less to repeat.
      let turns = bench.options.count(files <= 1_000 ? 7 : files <= wholeUpTo ? 3 : 1)
      var samples: [Double] = []
      for turn in 1...turns {
        bench.progress("plot: \(files) files, \(turn) of \(turns)")
        samples.append(
          files <= wholeUpTo ? try bench.drain(files) / Double(files) : try beginning(of: files, on: bench))
      }
      guard let cost = samples.median else { continue }
      points.append(Point(files: files, cost: cost, samples: samples))
    }
    bare.append(try bench.spawn(bench.sizes.drain) / Double(bench.sizes.drain))
    return DrainCost(bareSpawn: bare.median ?? 0, points: points)
  }

  /// Seconds for each trigger at the beginning of the drain of a large spool.
  private static func beginning(of files: Int, on bench: Workbench) throws -> Double {
    let isHuge = files == bench.sizes.pending
    let instance = try isHuge ? bench.hugeInstance() : bench.instance()
    if !isHuge {
      try instance.requireRoom(for: files)
      try instance.fill(files)
    }
    try bench.syncDisk()
    let begin = Timestamp.now()
    // Stopped by a signal, it prints an error, which is expected and not shown.
    let program = try Program(
      instance.command(bench.bobbin, "run", "--spool-only"), errors: bench.path("errors"))
    let deadline = MonotonicTime.now() + .seconds(600)
    let spool = try Directory(path: instance.spool)
    var enough: MonotonicTime?
    while true {
      _ = try Poll.wait(until: .now() + .milliseconds(100))
      try Interrupted.check()
      // A record has some 400 bytes. The jobs are counted exactly afterwards.
      let size = try PathQueries.status("\(instance.spool)/history.jsonl")?.size ?? 0
      if enough == nil, size > 0 { enough = .now() + shortestTime }
      if let enough, MonotonicTime.now() > enough, size > fewestJobs * 500 { break }
      if MonotonicTime.now() > deadline {
        throw Failure("too few jobs were recorded within 600 s in a spool of \(files) files")
      }
    }
    program.signal(Signals.terminate)
    let status = try program.wait().status
    if status != 128 + Signals.terminate { throw Failure("bobbin run: exit status \(status) after SIGTERM") }
    var starts: [Timestamp] = []
    try HistoryReader.forEachLine(in: spool) { line in
      guard let record = HistoryReader.record(line), record.kind == .manual, record.outcome == .succeeded,
        let started = record.startedAt, started >= begin
      else { return }
      starts.append(started)
    }
    if !isHuge { try bench.discard(instance, of: files) }
    guard let cost = cost(of: starts.sorted(), in: files, since: begin) else {
      throw Failure("only \(starts.count) jobs are in the history")
    }
    return cost
  }

  /// Seconds for each trigger.
  ///
  /// - Parameters:
  ///   - starts: when the jobs started, in order.
  ///   - begin: when the program was started.
  /// - Returns: nil when there are not enough jobs.
  static func cost(of starts: [Timestamp], in files: Int, since begin: Timestamp) -> Double? {
    guard let first = starts.first, let last = starts.last, starts.count > skipped + 1 else { return nil }
    let each = (last - starts[skipped]).secondsWithFraction / Double(starts.count - 1 - skipped)
    return each + (first - begin).secondsWithFraction / Double(files)
  }
}
