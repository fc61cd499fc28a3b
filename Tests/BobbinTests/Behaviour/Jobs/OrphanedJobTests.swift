import Foundation
import TestSupport
import Testing

/// The batch was killed and its job lives on, with the lock of its channel.
@Suite("A job that outlives its batch", .alone)
struct OrphanedJobTests {
  private static let handler = """
    echo "$BOBBIN_TRIGGER" >>../ledger
    [ -e ../finish ] && exit
    trap '' TERM
    # Ends by itself after a while, so that a failure leaves nothing for long.
    setsid sh -c 'n=0; while [ $n -lt 2000 ]; do sleep 0.05; n=$((n + 1)); done' &
    echo $$ >../gates/started
    wait
    """

  private func instance(timeout: String) throws -> TestInstance {
    let instance = try TestInstance(
      channels:
        #"{ id: 1, name: "demo", command: ["handlers/stay"], timeout: "\#(timeout)", grace: "100ms" }"#)
    try instance.handler("stay", Self.handler)
    return instance
  }

  @Test("A job that is older than its channel's timeout is ended by a later run, with a warning")
  func tooOld() throws {
    let instance = try instance(timeout: "3s")
    try instance.drop("a.json")
    try instance.killInJob("run", "--spool-only")
    try instance.directory.write("finish")
    var run = try instance.bobbin("run", "--spool-only")
    try waitUntil("the job is old enough") {
      if try instance.names("done") == ["a.json"] { return true }
      run = try instance.bobbin("run", "--spool-only")
      return false
    }
    #expect(run.status == 0)
    #expect(
      run.errorLine(with: " warning ended a job of an earlier run", "channel=demo", "timeout=3s") != nil)
    #expect(try instance.ledger() == ["a.json", "a.json"])
    #expect(try instance.records(of: "a.json").map { $0["attempt"] } == [2])
    #expect(try !instance.isLocked("channels/1.lock"))
  }

  @Test("A later run asks such a job to end by the signal that its channel names")
  func stopSignal() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/stay"], timeout: "3s", grace: "20s", stop_signal: "USR1" }
        """)
    try instance.handler(
      "stay",
      """
      [ -e ../finish ] && exit
      # Nobody reads the pipe any more, and the shell reports there that a signal ended its child.
      exec 2>/dev/null
      trap 'echo USR1 >>../ledger; exit' USR1
      echo $$ >../gates/started
      n=0; while [ $n -lt 2000 ]; do sleep 0.05; n=$((n + 1)); done
      """)
    try instance.drop("a.json")
    try instance.killInJob("run", "--spool-only")
    try instance.directory.write("finish")
    try waitUntil("the job is old enough") {
      try instance.bobbin("run", "--spool-only").status == 0 && instance.names("done") == ["a.json"]
    }
    // The signal is repeated until the job has ended.
    let ledger = Set(try instance.ledger())
    #expect(ledger == ["USR1"])
  }

  @Test("A job that is younger than its channel's timeout goes on")
  func young() throws {
    let instance = try instance(timeout: "1h")
    try instance.drop("a.json")
    let batch = try instance.start("run", "--spool-only")
    let job = try #require(Int32(try instance.started.wait()))
    batch.signal(SIGKILL)
    #expect(try batch.wait().status == -SIGKILL)
    let next = try instance.bobbin("run", "--spool-only", "--json")
    #expect(try next.json["triggers"]["deferred"] == 1)
    #expect(kill(job, 0) == 0)
    kill(-job, SIGKILL)
    try instance.directory.write("finish")
    // What hides in another session still has the lock. Its age is its own.
    try instance.configure(
      channels: #"{ id: 1, name: "demo", command: ["handlers/stay"], timeout: "3s", grace: "0" }"#)
    try waitUntil("the trigger is done") {
      try instance.bobbin("run", "--spool-only").status == 0 && instance.names("done") == ["a.json"]
    }
  }

  @Test("A run that cannot end such a job says so once, and goes on")
  func unending() throws {
    let instance = try instance(timeout: "3s")
    try instance.drop("a.json")
    let batch = try instance.start("run", "--spool-only")
    let job = try #require(Int32(try instance.started.wait()))
    batch.signal(SIGKILL)
    #expect(try batch.wait().status == -SIGKILL)
    try instance.drop("b.json")
    let environment = try Preload.environment(in: instance.directory).merging(Preload.brokenKill) { $1 }
    var warnings: [String] = []
    try waitUntil("the job is old enough", within: .seconds(90)) {
      let run = try instance.bobbin("run", "--spool-only", environment: environment, within: .seconds(60))
      warnings = run.errorLines.filter { $0.contains(" warning a job of an earlier run, ") }
      return !warnings.isEmpty
    }
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains(" still lives") == true)
    #expect(try instance.ledger() == ["a.json"])
    #expect(try instance.pending() == ["b.json"])
    #expect(kill(job, 0) == 0)
    // What the job left in another session ends as well.
    try instance.directory.write("finish")
    try waitUntil("everything is done", within: .seconds(60)) {
      _ = try instance.bobbin("run", "--spool-only")
      return try instance.names("done") == ["a.json", "b.json"]
    }
  }

  @Test("A process that holds the lock and is not a job is left alone, however old it is")
  func stranger() throws {
    let instance = try instance(timeout: "1h")
    try instance.directory.write("finish")
    #expect(try instance.bobbin("run").status == 0)
    try instance.configure(
      channels: #"{ id: 1, name: "demo", command: ["handlers/stay"], timeout: "1ms" }"#)
    let script = try Program(
      "/bin/sh", ["-c", "exec 9<\"$1\"; flock 9; exec sleep 1000", "sh", "\(instance.spool)/channels/1.lock"]
    ).start(outputIn: instance.directory)
    try waitUntil("the script has the lock") { try instance.isLocked("channels/1.lock") }
    try instance.drop("a.json")
    let run = try instance.bobbin("run", "--spool-only", "--json")
    #expect(try run.json["triggers"]["deferred"] == 1)
    #expect(script.isRunning)
    script.signal(SIGKILL)
    _ = try script.wait()
  }
}
