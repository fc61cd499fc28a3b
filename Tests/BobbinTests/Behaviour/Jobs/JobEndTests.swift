import Foundation
import TestSupport
import Testing

@Suite("The end of a job", .alone)
struct JobEndTests {
  /// Whether a process exists, even if it has ended and has not been reaped yet.
  private func exists(_ process: Int32) -> Bool { kill(process, 0) == 0 || errno != ESRCH }

  @Test("A job that heeds SIGTERM at its timeout ends before its grace is over")
  func terminates() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/stop"], timeout: "200ms", grace: "1h" }"#)
    try instance.handler(
      "stop", "trap 'echo termed >>../ledger; exit 0' TERM\nread -r line <../gates/release")
    let run = try instance.bobbin("run", "--json")
    #expect(run.status == 1)
    #expect(try instance.ledger() == ["termed"])
    let record = try #require(try instance.history().first)
    #expect(record["outcome"] == "timed_out")
    #expect(record["error_message"] == "not finished after 200ms")
    #expect((record["duration_s"].number ?? 0) >= 0.2)
  }

  @Test("A job that ignores SIGTERM is killed after the grace, with its whole group")
  func kills() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/stay"], timeout: "100ms", grace: "100ms" }"#)
    try instance.handler(
      "stay",
      """
      trap '' TERM
      sh -c 'echo $$ >../gates/started; while :; do sleep 1; done' &
      while :; do sleep 1; done
      """)
    let run = try instance.start("run")
    let child = try #require(Int32(try instance.started.wait()))
    #expect(try run.wait().status == 1)
    #expect(!exists(child))
    let record = try #require(try instance.history().first)
    #expect(record["outcome"] == "timed_out")
    #expect((record["duration_s"].number ?? 0) >= 0.2)
  }

  @Test("A job that writes nothing for too long is stopped, and tried again")
  func stalls() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/stall"], stall: "200ms", retry_delay: "1ms" }
        """)
    try instance.handler(
      "stall", "echo \"$BOBBIN_ATTEMPT\" >>../ledger\nread -r line <../gates/release")
    let run = try instance.bobbin("run")
    #expect(run.status == 1)
    #expect(
      run.errorLine(with: " warning job failed for a transient reason", "without any output") != nil, "\(run)"
    )
    #expect(try instance.ledger() == ["1", "2"])
    let record = try #require(try instance.history().first)
    #expect(record["outcome"] == "failed")
    #expect(record["error_message"] == "stopped after 200ms without any output")
    #expect(record["exit_status"] == nil)
  }

  @Test(
    "The signal that a channel names asks its job to end",
    arguments: ["HUP", "SIGINT", "QUIT", "TERM", "USR1", "SIGUSR2"])
  func stopSignal(name: String) throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/stop"], timeout: "300ms", grace: "5s",
          stop_signal: "\(name)" },
        """)
    try instance.handler(
      "stop",
      """
      for name in HUP INT QUIT TERM USR1 USR2; do trap "echo $name >>../ledger; exit 0" $name; done
      read -r line <../gates/release
      """)
    // A signal that the batch ignores would stay ignored in its jobs.
    let run = try Program("/bin/sh", ["-c", "trap '' USR1 USR2 QUIT; exec \"$@\"", "sh"]).start(
      [try Program.bobbin().path, "--config", instance.configuration, "run"], outputIn: instance.directory
    ).wait()
    #expect(run.status == 1)
    #expect(try instance.ledger() == [name.replacing("SIG", with: "")])
    #expect(try instance.history().first?["outcome"] == "timed_out")
  }

  @Test("What a job leaves behind is asked to end by the signal that its channel names")
  func stopSignalForLeftovers() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/leave"], grace: "1h", stop_signal: "USR1" }"#)
    try instance.handler(
      "leave",
      """
      setsid sh -c 'trap "echo USR1 >>../ledger; exit 0" USR1; echo $$ >../gates/started
      while :; do sleep 0.05; done' &
      read -r line <../gates/release
      """)
    let run = try instance.start("run")
    let orphan = try #require(Int32(try instance.started.wait()))
    try instance.release.pass()
    #expect(try run.wait().status == 0)
    #expect(!exists(orphan))
    // The signal is repeated until the process has ended.
    let ledger = Set(try instance.ledger())
    #expect(ledger == ["USR1"])
  }

  @Test("A trigger whose job takes too long fails, and its answer says so")
  func timedOutTrigger() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/hold"], timeout: "50ms" }"#)
    let answer = try instance.bobbin("trigger", "demo", "--json")
    #expect(answer.status == 1)
    #expect(try answer.json["message"] == "The download took too long and was stopped.")
    #expect(try instance.names("failed").count == 1)
  }

  @Test(
    "A process that a job left behind in another session is ended",
    arguments: [
      "exec sleep 1000", "trap \"\" TERM; while :; do sleep 1; done",
    ])
  func leftovers(script: String) throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/fork"], grace: "50ms" }"#)
    // Forked twice and in its own session, as a daemon.
    try instance.handler(
      "fork", "( setsid sh -c 'echo $$ >../gates/started; \(script)' & )\nread -r line <../gates/release")
    let run = try instance.start("run")
    let orphan = try #require(Int32(try instance.started.wait()))
    #expect(exists(orphan))
    try instance.release.pass()
    #expect(try run.wait().status == 0)
    #expect(!exists(orphan))
    #expect(try !instance.isLocked("channels/1.lock"))
  }

  @Test("A process that keeps standard output open does not hang the batch")
  func keptOutput() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/fork"] }"#)
    try instance.handler("fork", "setsid sleep 1000 &\necho item")
    let run = try instance.bobbin("run", "--json", within: .seconds(10))
    #expect(run.status == 0)
    #expect(try run.json["videos_downloaded"] == 1)
  }

  @Test(
    "A signal to the batch ends the job, puts its trigger back, and shows in the exit status",
    arguments: [(SIGTERM, 143, "SIGTERM"), (SIGINT, 130, "SIGINT"), (SIGHUP, 129, "SIGHUP")])
  func stopped(signal: Int32, status: Int32, name: String) throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "held", command: ["handlers/hold"] },
        { id: 2, name: "demo", command: ["handlers/note"] },
        """)
    try instance.drop("a.json", "1")
    try instance.drop("b.json", "2")
    let run = try instance.start("run", "--spool-only", "--json")
    try instance.started.wait()
    run.signal(signal)
    let result = try run.wait()
    #expect(result.status == status)
    #expect(try result.json["status"] == "interrupted")
    #expect(try instance.pending() == ["a.json", "b.json"])
    #expect(try instance.claimed() == [])
    #expect(try instance.ledger() == ["manual held a.json"])
    #expect(try !instance.isLocked("channels/1.lock"))
    #expect(try instance.names("failed") == [])
    let record = try #require(try instance.records(of: "a.json").first)
    #expect(record["outcome"] == "interrupted")
    #expect(record["error_message"] == .string("stopped by \(name)"))
    #expect(record["requeued"] == true)

    try instance.release.pass()
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.names("done") == ["a.json", "b.json"])
    // One final record: the record of the stopped job is not final.
    #expect(try instance.records(of: "a.json").filter { $0["requeued"] != true }.count == 1)
  }

  @Test("A signal to both the job and the batch, as at a shutdown, puts the trigger back")
  func stoppedTogether() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/both"] }"#)
    // A child of the job first ends the job, and then the batch.
    try instance.handler(
      "both",
      """
      mkdir ../stopped 2>/dev/null || exit 0
      batch=$PPID
      (kill -TERM $$; kill -TERM "$batch") &
      wait
      """)
    try instance.drop("a.json")
    #expect(try instance.bobbin("run", "--spool-only").status == 143)
    #expect(try instance.pending() == ["a.json"])
    #expect(try instance.records(of: "a.json").map { $0["outcome"] } == ["interrupted"])
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.names("done") == ["a.json"])
  }

  @Test("A job that another process ends with a signal has failed if the batch is not asked to stop")
  func jobStopped() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/self"] }"#)
    try instance.handler("self", "kill -TERM $$")
    try instance.drop("a.json")
    #expect(try instance.bobbin("run", "--spool-only").status == 1)
    #expect(try instance.records(of: "a.json").map { $0["error_message"] } == ["ended by SIGTERM"])
    #expect(try instance.names("failed") == ["a.json"])
  }

  @Test("A scheduled run that is asked to stop does not start another job")
  func stoppedSchedule() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "held", command: ["handlers/hold"] },
        { id: 2, name: "demo", command: ["handlers/note"] },
        """)
    try instance.drop("a.json", "2")
    let run = try instance.start("run")
    try instance.started.wait()
    run.signal(SIGTERM)
    let result = try run.wait()
    #expect(result.status == 143)
    #expect(result.output.hasPrefix("run 1 interrupted "))
    #expect(try instance.ledger() == ["scheduled held -"])
    #expect(try instance.pending() == ["a.json"])
    #expect(try instance.history().map { $0["outcome"] } == ["interrupted", "interrupted"])
  }

  @Test("A second signal kills a job that ignores the first")
  func secondSignal() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/stay"], grace: "1h" }"#)
    try instance.handler(
      "stay",
      """
      trap 'echo termed >../gates/started' TERM
      echo begun >../gates/started
      while :; do read -r line <../gates/release; done
      """)
    try instance.drop("a.json")
    let run = try instance.start("run", "--spool-only")
    #expect(try instance.started.wait() == "begun")
    run.signal(SIGTERM)
    #expect(try instance.started.wait() == "termed")
    #expect(run.isRunning)
    run.signal(SIGTERM)
    #expect(try run.wait().status == 143)
    #expect(try instance.pending() == ["a.json"])
  }

  @Test("A second signal also kills processes that a job has left behind")
  func secondSignalForLeftovers() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/leave"], grace: "1h" }"#)
    try instance.handler(
      "leave",
      // The process tells of itself only when the batch has noticed that the job's main process is gone.
      """
      main=$$
      export main
      (trap '' TERM; setsid sh -c '
        while kill -0 "$main" 2>/dev/null; do sleep 0.02; done
        echo $$ >../gates/started
        while :; do sleep 1; done' &)
      """)
    let run = try instance.start("run")
    let orphan = try #require(Int32(try instance.started.wait()))
    run.signal(SIGTERM)
    run.signal(SIGINT)
    #expect(try run.wait().status == 143)
    #expect(!exists(orphan))
    #expect(try instance.history().first?["outcome"] == "succeeded")
  }

  @Test("A trigger of a channel with `rerun: false` fails as interrupted at a signal, and is not put back")
  func stoppedWithoutRerun() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/hold"], rerun: false }"#)
    try instance.drop("a.json")
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    run.signal(SIGTERM)
    #expect(try run.wait().status == 143)
    #expect(try instance.pending() == [])
    #expect(try instance.names("failed") == ["a.json"])
    #expect(try instance.records(of: "a.json").map { $0["outcome"] } == ["interrupted"])
  }

  @Test("A signal ends the wait for another attempt")
  func stoppedBetweenAttempts() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/later"], retry_delay: "1h" }"#)
    try instance.handler("later", "exit 75")
    try instance.drop("a.json")
    let run = try instance.start("run", "--spool-only")
    try waitUntil("the batch waits for the next attempt") {
      run.errorSoFar.contains(" warning job failed for a transient reason")
    }
    run.signal(SIGTERM)
    #expect(try run.wait().status == 143)
    #expect(try instance.pending() == ["a.json"])
  }
}
