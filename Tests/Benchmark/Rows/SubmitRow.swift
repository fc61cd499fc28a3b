import CBenchmark
import Posix
import Spool
import Text

/// Triggers submitted through the library, each durable before the next, against the system calls that this takes.
enum SubmitRow {
  static func measure(on bench: Workbench) throws -> [Finding] {
    let count = bench.sizes.submit
    let turns = bench.options.count(7)
    let content = BenchmarkInstance.content(at: .now())
    let pairs = try Pairs(turns) { turn in
      bench.progress(.submit, turn, of: turns)
      return try perSecond(count, on: bench) { instance in
        var submitter = Submitter(try SpoolDirectory(path: instance.spool))
        let begin = MonotonicTime.now()
        for _ in 0..<count { _ = try submitter.submit(channel: 1, user: "benchmark") }
        return (MonotonicTime.now() - begin).secondsWithFraction
      }
    } against: { _ in
      try perSecond(count, on: bench) { instance in
        try bench.seconds(
          bare_submit_loop(instance.spool, content, content.count, Int32(count)), "write triggers")
      }
    }
    return [
      Finding(
        .submit, "submit of \(count) triggers", .perSecond, pairs, against: "create, fsync, rename, fsync",
        goal: .ratio(.atLeast, 0.9))
    ]
  }

  /// The rate in a new, empty spool.
  private static func perSecond(
    _ count: Int, on bench: Workbench, _ body: (BenchmarkInstance) throws -> Double
  ) throws -> Double {
    let instance = try bench.instance()
    try bench.syncDisk()
    let seconds = try body(instance)
    try bench.discard(instance, of: count)
    return Double(count) / seconds
  }
}
