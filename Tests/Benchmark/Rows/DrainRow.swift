/// The drain of a spool by the program, including its start-up, against a loop that only starts the same jobs.
enum DrainRow {
  static func measure(on bench: Workbench) throws -> [Finding] {
    let count = bench.sizes.drain
    let turns = bench.options.count(7)
    let pairs = try Pairs(turns) { turn in
      bench.progress(.drain, turn, of: turns)
      return Double(count) / (try bench.drain(count))
    } against: { _ in
      Double(count) / (try bench.spawn(count))
    }
    return [
      Finding(
        .drain, "drain of \(count) triggers", .perSecond, pairs, against: "posix_spawn + waitpid",
        goal: .ratio(.atLeast, 0.90))
    ]
  }
}
