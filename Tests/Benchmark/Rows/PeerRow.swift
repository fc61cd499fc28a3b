import Posix
import Spool
import Text

/// The same work for Bobbin and for another queue: submit a number of jobs one by one, and run them all.
///
/// The finding with a goal compares the usual way to use each queue, as its manual describes it, in a loop of the same
/// shell. With nq and task-spooler a request is a call of their program. With Bobbin it is a file that the shell itself
/// writes, and one `bobbin run` at the end. None of these requests is synced. The findings without a goal show what
/// Bobbin costs when each request is durable before the next is made, which the other queues do not offer: through the
/// library, and through a process of `bobbin trigger --queue` for each request. The last finding is a loop that only
/// starts the jobs, which is the upper limit for a queue that runs one job after the other.
struct PeerRow {
  struct Peer {
    let row: Row
    let program: String
    /// A shell script: `$1` is the program, `$2` the number of jobs, `$3` a folder for this measurement.
    let work: String
    /// A shell script with the same parameters that prints how many jobs have succeeded.
    let check: String
    /// Shell scripts that run before and after `work`, and are not timed.
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
    try bench.syncDisk()
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

  /// Runs a command `count` times; `$i` is the number of the turn.
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
    try bench.syncDisk()
    let time = try Program.shell(peer.work, arguments).seconds
    let file = bench.path("count")
    try Program.shell(peer.check, arguments, output: file)
    let done = String(decoding: try PathQueries.read(file, limit: 64).filter { $0 > 0x20 }, as: UTF8.self)
    if done != "\(count)" { throw Failure("\(peer.program) has done \(done) of \(count) jobs") }
    return Double(count) / time
  }
}

extension PeerRow.Peer {
  /// Every job is a process that waits for the lock of the job before; `nq -w` waits for all jobs.
  ///
  /// RACE: `nq -w` does not wait for a job that was just submitted and is about to start. The check, which is not
  /// timed, gives such a job time to end.
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

  /// task-spooler runs one job at a time, in order: when the last job is done, all jobs are done. It keeps each job's
  /// output, as the other queues do. Its server is started before the measurement and ended after it.
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
