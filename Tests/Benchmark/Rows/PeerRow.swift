import Posix
import Spool
import Text

/// The same work given to another queue: submit so many jobs one by one, and have them all done.
///
/// What is judged is each as its manual has it, in one loop of the same shell. With nq and task-spooler a request is a
/// call of their program; with Bobbin it is a file, written by the shell itself, and one `bobbin run` at the end. None
/// of these requests is synced by anybody. The findings without a goal are what Bobbin costs when each request is
/// durable before the next is made, which neither of the others offers: through the library, and through one process
/// each of `bobbin trigger --queue`; and what a loop costs that starts the jobs and does nothing else, faster than which
/// nobody is who runs one after the other.
struct PeerRow {
  struct Peer {
    let row: Row
    let program: String
    /// A shell script: `$1` is the program, `$2` the number of jobs, `$3` a folder of its own.
    let work: String
    /// Prints how many jobs have succeeded; the same parameters.
    let check: String
    /// Before and after, not timed.
    let prepare, cleanUp: String
  }

  private let peer: Peer

  init(_ peer: Peer) { self.peer = peer }

  func measure(on bench: Workbench) throws -> [Finding] {
    let program = try Program.find(peer.program)
    let count = bench.sizes.peers
    let turns = bench.options.count(5)
    var durable: [Double] = []
    var processes: [Double] = []
    var bare: [Double] = []
    let pairs = try Pairs(turns) { turn in
      bench.progress(peer.row, turn, of: turns)
      bare.append(Double(count) / (try bench.spawn(count)))
      durable.append(try bobbin(on: bench) { try submitThroughLibrary(count, $0) })
      processes.append(
        try bobbin(on: bench) {
          try Self.loop("\"$1\" --config \"$3\" --quiet trigger 1 --queue", count, bench, $0)
        })
      return try bobbin(on: bench) { try Self.loop("echo 1 >\"$4/$i.json\"", count, bench, $0) }
    } against: { turn in
      try run(program, count, bench.path("\(peer.program)-\(turn)"), on: bench)
    }
    let name = peer.program
    func variant(_ title: String, _ samples: [Double]) -> Finding {
      Finding(
        peer.row, title, .perSecond, Pairs(measured: samples, reference: pairs.reference), against: name)
    }
    return [
      Finding(
        peer.row, "submit and run \(count)", .perSecond, pairs, against: name, goal: .ratio(.atLeast, 2)),
      variant("  durable, by the library", durable),
      variant("  durable, a process each", processes),
      variant("  a bare spawn loop", bare),
    ]
  }

  /// - Returns: jobs a second, from the first submission to the end of the drain.
  private func bobbin(on bench: Workbench, _ submit: (BenchmarkInstance) throws -> Void) throws -> Double {
    let count = bench.sizes.peers
    let instance = try bench.instance()
    try bench.settle()
    let begin = MonotonicTime.now()
    try submit(instance)
    _ = try instance.drain(count, with: bench.bobbin)
    let time = (MonotonicTime.now() - begin).secondsWithFraction
    try bench.discard(instance, of: count)
    return Double(count) / time
  }

  private func submitThroughLibrary(_ count: Int, _ instance: BenchmarkInstance) throws {
    var submitter = Submitter(try SpoolDirectory(path: instance.spool))
    for _ in 0..<count { _ = try submitter.submit(channel: 1, user: "benchmark") }
  }

  /// A command so often, with `$i` counting.
  private static func loop(_ command: String, _ count: Int, _ bench: Workbench, _ instance: BenchmarkInstance)
    throws
  {
    try Program.shell(
      "i=0; while [ $i -lt \"$2\" ]; do \(command) || exit; i=$((i + 1)); done",
      [bench.bobbin, "\(count)", instance.configuration, instance.spool])
  }

  private func run(_ program: String, _ count: Int, _ folder: String, on bench: Workbench) throws -> Double {
    let arguments = [program, "\(count)", folder]
    try PathQueries.makeDirectories(folder)
    try Program.shell(peer.prepare, arguments)
    defer { _ = try? Program.shell(peer.cleanUp, arguments) }
    try bench.settle()
    let time = try Program.shell(peer.work, arguments).seconds
    let file = bench.path("count")
    try Program.shell(peer.check, arguments, output: file)
    let done = String(decoding: try PathQueries.read(file, limit: 64).filter { $0 > 0x20 }, as: UTF8.self)
    if done != "\(count)" { throw Failure("\(peer.program) has done \(done) of \(count) jobs") }
    return Double(count) / time
  }
}

extension PeerRow.Peer {
  /// Every job is a process that waits for the lock of the one before; `nq -w` waits for all.
  ///
  /// RACE: a job that was just submitted and is about to start escapes `nq -w`. The check, which is not timed,
  /// gives such a one time to end.
  static let nq = PeerRow.Peer(
    row: .nq, program: "nq",
    work: """
      NQDIR=$3; export NQDIR
      i=0; while [ $i -lt "$2" ]; do "$1" -q /bin/true || exit; i=$((i + 1)); done
      "$1" -w
      """,
    check: """
      for turn in 1 2 3 4 5 6 7 8 9 10; do
        count=$(grep -l 'exited with status 0' "$3"/,* | wc -l)
        [ "$count" -ge "$2" ] && break
        sleep 0.2
      done
      echo "$count"
      """,
    prepare: ":", cleanUp: "rm -rf \"$3\"")

  /// One job at a time, in order: when the last is done, all are. Each job's output is kept, as the others keep it. The
  /// server is started before, and ended after.
  static let taskSpooler = PeerRow.Peer(
    row: .taskSpooler, program: "tsp",
    work: """
      TS_SOCKET=$3/socket TMPDIR=$3; export TS_SOCKET TMPDIR
      i=0; while [ $i -lt "$2" ]; do "$1" /bin/true || exit; i=$((i + 1)); done
      "$1" -w
      """,
    check: "TS_SOCKET=$3/socket \"$1\" -l | grep -c ' finished '",
    prepare: "TS_SOCKET=$3/socket TMPDIR=$3 TS_MAXFINISHED=$(($2 + 1)) \"$1\" -S 1",
    cleanUp: "TS_SOCKET=$3/socket \"$1\" -K; rm -rf \"$3\"")
}
