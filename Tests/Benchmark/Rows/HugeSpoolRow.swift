import Posix

/// The commands that are slow when a spool holds a million files, against `ls`, which has to read and sort the same
/// names.
enum HugeSpoolRow {
  private static let list = "LC_ALL=C ls \"$1\" | tail -n 1"

  /// Submits a trigger durably and gets its position. The triggers stay, so the spool grows by a few files.
  static func queuePosition(on bench: Workbench) throws -> [Finding] {
    let instance = try bench.hugeInstance()
    let command = instance.command(bench.bobbin, "trigger", "1", "--queue", "--json")
    try check(command, on: bench, instance)
    return try compare(
      .queuePosition, "trigger --queue", on: bench, instance, turns: 5, time: 0.7, megabytes: 25
    ) { try Program.run(command) }
  }

  /// Prints everything that a run would do, in order, into the same pipe as the output of `ls`. There are two
  /// measurements: `ls` only needs the names, and so does Bobbin for empty triggers; a trigger with a content has to be
  /// opened and read.
  static func dryRun(on bench: Workbench) throws -> [Finding] {
    try dryRun("run --dry-run, touched", .touched, on: bench)
      + dryRun("run --dry-run, written", .written, on: bench)
  }

  private static func dryRun(
    _ title: String, _ filling: BenchmarkInstance.Filling, on bench: Workbench
  ) throws -> [Finding] {
    let instance = try bench.hugeInstance(filling)
    return try compare(.dryRun, title, on: bench, instance, turns: 3, time: 2, megabytes: 150) {
      try Program.shell(
        "\"$1\" --config \"$2\" run --dry-run | tail -n 1", [bench.bobbin, instance.configuration])
    }
  }

  /// Judges the time as a ratio and the peak memory as a value.
  private static func compare(
    _ row: Row, _ title: String, on bench: Workbench, _ instance: BenchmarkInstance, turns: Int, time: Double,
    megabytes: Double, _ body: () throws -> Program.End
  ) throws -> [Finding] {
    let turns = bench.options.count(turns)
    // The first reading of the directory is slower, and is not measured.
    try Program.shell(list, [instance.spool])
    try bench.syncDisk()
    var peaks = (measured: [Double](), reference: [Double]())
    let times = try Pairs(turns) { turn in
      bench.progress(row, turn, of: turns)
      let end = try body()
      peaks.measured.append(end.peakBytes)
      return end.seconds
    } against: { _ in
      let end = try Program.shell(list, [instance.spool])
      peaks.reference.append(end.peakBytes)
      return end.seconds
    }
    let memory = Pairs(measured: peaks.measured, reference: peaks.reference)
    return [
      Finding(
        row, "\(title), \(bench.sizes.pending) files", .seconds, times, against: "ls | tail -1",
        goal: .ratio(.atMost, time)),
      Finding(
        row, "  its peak memory", .bytes, memory, against: "ls | tail -1",
        goal: .value(.atMost, megabytes * 1e6)),
    ]
  }

  /// - Throws: when the position in the answer is not the one after all triggers that were pending before.
  private static func check(_ command: [String], on bench: Workbench, _ instance: BenchmarkInstance) throws {
    var before = 0
    try Directory(path: instance.spool).forEachName { name in
      if name.suffix(5).elementsEqual(".json".utf8) { before += 1 }
    }
    let file = bench.path("answer")
    try Program.run(command, output: file)
    let answer = String(decoding: try PathQueries.read(file, limit: 4096), as: UTF8.self)
    if !answer.contains("\"position\":\(before + 1),") {
      throw Failure("position \(before + 1) is not in the answer \(answer)")
    }
  }
}
