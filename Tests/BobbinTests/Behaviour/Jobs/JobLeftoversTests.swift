import Foundation
import TestSupport
import Testing

/// A job runs as the batch's user and can do everything that this user can. Whether on purpose or not, it can harm at
/// most its own trigger.
@Suite("The traces of a job", .alone)
struct JobTracesTests {
  /// - Parameter cases: the patterns of a shell's `case` on the name of the trigger.
  private func instance(_ cases: String) throws -> TestInstance {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/act"] }"#)
    try instance.handler(
      "act", "echo \"$BOBBIN_TRIGGER\" >>../ledger\ncase $BOBBIN_TRIGGER in\n\(cases)\nesac")
    return instance
  }

  private func drop(_ names: String..., in instance: TestInstance) throws {
    for name in names { try instance.drop(name, #"{"channel_id": 1}"#) }
  }

  @Test("A pipe that a job made non-blocking is blocking again for the next job", arguments: [1, 2])
  func nonBlocking(stream: Int) throws {
    let instance = try instance(
      """
      a.json) exec python3 -c 'import os; os.set_blocking(\(stream), False)' ;;
      b.json) exec python3 -c 'import os
      rest = b"x" * (1 << 20)
      while rest: rest = rest[os.write(\(stream), rest):]' ;;
      """)
    try drop("a.json", "b.json", in: instance)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == ["a.json", "b.json"])
    let id = try #require(try instance.records(of: "b.json").first?["id"].number)
    #expect(try instance.directory.text("spool/logs/\(Int(id)).log").utf8.count == 1 << 20)
  }

  @Test(
    "The whole content of a pipe counts as the job's output, even if the job has enlarged the pipe to its limit"
  )
  func biggestPipe() throws {
    let instance = try instance(
      """
      a.json) exec python3 -c 'import fcntl, os, signal
      fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)
      os.kill(os.getppid(), signal.SIGSTOP)
      os.write(1, b"a\\n" * (1 << 19))
      open("../gates/started", "w").write("%d\\n" % os.getpid())' ;;
      b.json) echo b ;;
      """)
    try drop("a.json", "b.json", in: instance)
    let run = try instance.start("run", "--spool-only")
    // The batch is stopped (SIGSTOP), so that it does not read before the job has ended.
    let job = try instance.started.wait()
    try waitUntil("the job has ended") {
      try String(contentsOfFile: "/proc/\(job)/stat", encoding: .utf8).contains(") Z ")
    }
    run.signal(SIGCONT)
    #expect(try run.wait().status == 0)
    #expect(try instance.records(of: "a.json").map { $0["videos_downloaded"] } == [524_288])
    #expect(try instance.records(of: "b.json").map { $0["videos_downloaded"] } == [1])
  }

  @Test("A channel whose lock a job has released is locked for the next job")
  func releasedLock() throws {
    let instance = try instance(
      """
      a.json)
        flock -u 64
        # Proves that it was the lock: a stranger could take it now.
        flock -n ../spool/channels/1.lock true && echo released >>../ledger ;;
      b.json) echo b >../gates/started; read -r line <../gates/release ;;
      """)
    try drop("a.json", "b.json", in: instance)
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    #expect(try instance.ledger() == ["a.json", "released", "b.json"])
    #expect(try instance.isLocked("channels/1.lock"))
    try instance.release.pass()
    #expect(try run.wait().status == 0)
  }

  @Test("A job that has emptied `running/` does not keep later triggers from running")
  func emptiedRunning() throws {
    let instance = try instance("a.json) rm -r ../spool/running/* ;;")
    try drop("a.json", "b.json", "c.json", in: instance)
    let run = try instance.bobbin("run", "--spool-only")
    #expect(run.status == 0, "\(run)")
    #expect(try instance.ledger() == ["a.json", "b.json", "c.json"])
    #expect(try instance.names("done") == ["a.json", "b.json", "c.json"])
    #expect(try instance.pending() == [])
    #expect(try instance.claimed() == [])
  }

  @Test("A symbolic link in the place of the history is not followed, and a new history begins")
  func linkedHistory() throws {
    let instance = try instance(
      "b.json) rm -f ../spool/history.jsonl; ln -s ../elsewhere ../spool/history.jsonl ;;")
    try instance.directory.write("elsewhere", "kept\n")
    // The first record makes sure that the file is already open.
    try drop("a.json", in: instance)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    try drop("b.json", "c.json", in: instance)
    let run = try instance.bobbin("run", "--spool-only")
    #expect(run.status == 0, "\(run)")
    #expect(try instance.directory.text("elsewhere") == "kept\n")
    #expect(try instance.ledger() == ["a.json", "b.json", "c.json"])
    let path = "\(instance.spool)/history.jsonl"
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.type] as? FileAttributeType == .typeRegular)
    #expect(try instance.records(of: "c.json").map { $0["outcome"] } == ["succeeded"])
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: "\(instance.spool)/.foreign-history.jsonl")
        == "../elsewhere")
  }

  @Test("A job gets the trigger's name with its control characters escaped")
  func escapedName() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/show"] }"#)
    try instance.handler("show", #"printf '%s' "$BOBBIN_TRIGGER" >../name"#)
    let name = "a\n\u{1B}[31mb.json"
    try drop(name, in: instance)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.directory.text("name") == #"a\n\u{1b}[31mb.json"#)
    // The file keeps its own name.
    #expect(try instance.names("done") == [name])
  }

  /// A shell script whose standard output or error passes through a reader that goes on after the script has ended, as
  /// `exec > >(…)` makes it in bash.
  private func filtered(_ stream: Int, _ script: String) -> String {
    """
    rm -f ../pipe; mkfifo ../pipe
    (sleep 0.1; while read -r line; do echo "$line"; done) <../pipe >&\(stream) &
    exec \(stream)>../pipe
    \(script)
    """
  }

  @Test("What a job wrote through a process that ends after it is counted and logged")
  func filteredOutput() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/act"] }"#)
    try instance.handler(
      "act", filtered(1, "n=0; while [ $n -lt 300 ]; do echo item $n; n=$((n + 1)); done"))
    let run = try instance.bobbin("run", "--json")
    #expect(run.status == 0)
    #expect(try run.json["videos_downloaded"] == 300)
    #expect(try instance.directory.text("spool/logs/1.log").hasSuffix("item 299\n"))
  }

  @Test("What a job wrote to standard error through a process that ends after it says why the job failed")
  func filteredError() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/act"], retry_delay: "1ms", transient: ["busy"] },
        """)
    try instance.handler(
      "act", "echo \"$BOBBIN_ATTEMPT\" >>../ledger\n" + filtered(2, "echo 'server busy' >&2; exit 1"))
    #expect(try instance.bobbin("run").status == 1)
    #expect(try instance.ledger() == ["1", "2"])
    #expect(try instance.history().first?["error_message"] == "exit status 1: server busy")
  }
}
