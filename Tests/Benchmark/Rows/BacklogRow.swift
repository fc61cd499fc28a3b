/// Compares what a trigger costs in a long and in a short drain. The short drains are before and after the long drain.
enum BacklogRow {
  static func measure(on bench: Workbench) throws -> [Finding] {
    let (small, large) = (bench.sizes.drain, bench.sizes.backlog)
    let turns = bench.options.count(5)
    var short: [Double] = []
    func drainShort() throws {
      for turn in 1...turns {
        bench.progress("row 4: drains of \(small), \(turn) of \(turns)")
        short.append(try bench.drain(small) / Double(small))
      }
    }
    try drainShort()
    bench.progress("row 4: one drain of \(large)")
    let long = try bench.drain(large) / Double(large)
    try drainShort()
    let sides = Pairs(measured: [long], reference: short)
    return [
      Finding(
        .backlog, "a trigger of \(large)", .seconds, sides, against: "a trigger of \(small)",
        goal: .ratio(.atMost, 1.10))
    ]
  }
}
