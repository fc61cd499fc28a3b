import CBenchmark
import Posix

/// Measures Bobbin: `swift run -c release benchmark`.
///
/// Every comparison is a ratio inside one run on one machine: Bobbin and its reference take turns (A B A B …), and the
/// median of the pairs counts. A goal that is missed is reported, and does not fail the benchmark: machines differ. The
/// exit status is 1 only when something could not be run, and 64 when the options are invalid.
@main
struct Benchmark {
  static func main() {
    CurrentProcess.exit(status(of: Array(CommandLine.arguments.dropFirst())))
  }

  private static func status(of words: [String]) -> Int32 {
    do {
      let options = try Options(words)
      if options.wantsHelp {
        try StandardStream.output.write(Options.help)
        return 0
      }
      return try measure(options) ? 0 : 1
    } catch let error as Options.Fault {
      complain("\(error); see --help")
      return 64
    } catch {
      complain("\(error)")
      return 1
    }
  }

  /// - Returns: whether every requested row could be run.
  private static func measure(_ options: Options) throws -> Bool {
    let bench = try Workbench(options)
    var results = Results(machine: try Machine(directory: bench.directory), bobbin: try bench.bobbinVersion())
    try StandardStream.output.write(Report.heading(results))
    var isComplete = true
    for row in options.rows {
      do { results.add(try row.measure(on: bench)) } catch let reason as Unavailable {
        results.add([Finding(row, row.title, gap: reason.description)])
      } catch  where !(error is Interrupted) {
        isComplete = false
        bench.progress(nil)
        complain("row \(row.rawValue), \(row.title): \(error)")
        results.add([Finding(row, row.title, gap: "failed")])
      }
    }
    if let file = options.svg {
      let curve = try DrainCost.measure(on: bench)
      results.curve = curve
      try bench.write(Plot(curve, caption: results.machine.caption).svg, to: file)
    }
    results.leastPeak = Double(own_peak_bytes())
    bench.progress(nil)
    try StandardStream.output.write(Report.table(results))
    if let file = options.json { try bench.write(try results.json(), to: file) }
    return isComplete
  }

  private static func complain(_ message: String) {
    try? StandardStream.error.write("benchmark: \(message)\n")
  }
}
