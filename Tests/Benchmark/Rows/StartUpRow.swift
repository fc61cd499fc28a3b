/// The time that a cron line takes when nothing is pending, against the smallest program that somebody would put there.
enum StartUpRow {
  static func measure(on bench: Workbench) throws -> [Finding] {
    let flock = try Program.find("flock")
    let command = try Program.find("true")
    let file = bench.path("flock")
    let turns = bench.options.count(50)
    bench.progress("row 5: \(turns) pairs")
    let pairs = try Pairs(turns) { _ in
      try Program.run([bench.bobbin, "--version"]).seconds
    } against: { _ in
      try Program.run([flock, "-n", file, command]).seconds
    }
    return [
      Finding(
        .startUp, "bobbin --version", .seconds, pairs, against: "flock -n FILE true",
        goal: .ratio(.atMost, 1.3))
    ]
  }
}
