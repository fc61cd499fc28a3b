import History
import Posix
import Text

/// What a trigger costs in a drain, by the size of the spool.
///
/// A small spool is drained as a whole, and the time of the program is divided by its triggers. Of a large one only
/// the beginning is drained: the batch is then asked to stop, and the rest stays. The history tells what the
/// triggers cost: the time from the start of one job to that of the next, while (almost) the whole spool is waiting. To
/// that comes what happened before the first job (reading all names and checking all files), which happens once a run
/// and is shared by all triggers of the spool. Because the spool only shrinks, a drain to its end costs at most that.
struct DrainCost: Codable, Equatable {
  struct Point: Codable, Equatable {
    let files: Int
    /// Seconds a trigger, the median of `samples`.
    let cost: Double
    let samples: [Double]
  }

  /// Seconds to start /bin/true and wait for it, measured before, between and after the points.
  let bareSpawn: Double
  let points: [Point]

  /// Jobs at the beginning of a run that are not counted: caches fill, the recorder finds its pace.
  private static let skipped = 200
  /// Up to so many triggers, all of them are drained.
  private static let wholeUpTo = 10_000
  /// Long enough for the spool to be looked into (once a second) several times.
  private static let (least, patience) = (2_000, Duration.seconds(10))

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

  /// Seconds a trigger at the beginning of the drain of a large spool.
  private static func beginning(of files: Int, on bench: Workbench) throws -> Double {
    let isHuge = files == bench.sizes.pending
    let instance = try isHuge ? bench.hugeInstance() : bench.instance()
    if !isHuge {
      try instance.requireRoom(for: files)
      try instance.fill(files)
    }
    try bench.settle()
    let begin = Timestamp.now()
    // It will complain that it was stopped, as it should.
    let program = try Program(
      instance.command(bench.bobbin, "run", "--spool-only"), errors: bench.path("errors"))
    let deadline = MonotonicTime.now() + .seconds(600)
    let spool = try Directory(path: instance.spool)
    var enough: MonotonicTime?
    while true {
      _ = try Poll.wait(until: .now() + .milliseconds(100))
      try Interrupted.check()
      // A record has some 400 bytes; counted exactly afterwards.
      let size = try PathQueries.status("\(instance.spool)/history.jsonl")?.size ?? 0
      if enough == nil, size > 0 { enough = .now() + patience }
      if let enough, MonotonicTime.now() > enough, size > least * 500 { break }
      if MonotonicTime.now() > deadline { throw Failure("a spool of \(files) files is not drained") }
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
