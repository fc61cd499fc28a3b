import Foundation
import TestSupport
import Testing

/// Files and processes of others that Bobbin meets. They must not stop Bobbin, and Bobbin must not stop them.
@Suite("Files and processes of others", .alone)
struct StrangersTests {
  private static let object = #"{"channel_id": 1}"#

  @Test("A lease that another process has on a file delays only that file")
  func lease() throws {
    // The time to settle is an hour, so only the end of the lease can make the file complete.
    let instance = try TestInstance(settings: #"settle: "1h","#)
    for name in ["a.json", "b.json"] { try instance.drop(name, Self.object) }
    let holder = try Self.holdLease(on: "a.json", in: instance)
    let run = try instance.start("run", "--spool-only", "--json")
    try waitUntil("the other trigger is run") { try instance.ledger() == ["manual demo b.json"] }
    #expect(run.isRunning)
    #expect(try instance.pending() == ["a.json"])
    try instance.release.pass()
    #expect(try holder.wait().status == 0)
    let result = try run.wait()
    #expect(result.status == 0, "\(result)")
    #expect(try result.json["triggers"]["succeeded"] == 2)
    #expect(try instance.ledger() == ["manual demo b.json", "manual demo a.json"])
  }

  /// Starts a process that has a write lease on a trigger, and does not release it when the kernel asks for it.
  private static func holdLease(on name: String, in instance: TestInstance) throws -> RunningProgram {
    let script = """
      import fcntl, os, signal, sys
      signal.signal(signal.SIGIO, signal.SIG_IGN)
      file = os.open(sys.argv[1], os.O_RDWR)
      fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
      open(sys.argv[2], "w").write("held\\n")
      open(sys.argv[3]).readline()
      """
    let holder = try Program("/usr/bin/env", ["python3", "-c", script]).start(
      ["\(instance.spool)/\(name)", instance.started.path, instance.release.path],
      outputIn: instance.directory)
    try instance.started.wait()
    return holder
  }

  @Test("The command cancel refuses a path, and does not change anything")
  func cancelPath() throws {
    let instance = try TestInstance()
    try instance.drop("7.json")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    try instance.drop("7.json")
    let (before, history) = (try instance.directory.tree("spool/done"), try instance.history())
    for path in ["\(instance.spool)/7.json", "done/7.json", "./7.json", "../spool/7.json"] {
      let result = try instance.bobbin("cancel", path, within: .seconds(10))
      #expect(result.status == 65)
      #expect(result.errorLine(with: " error no such pending trigger", "7.json") != nil)
    }
    #expect(try instance.directory.tree("spool/done") == before)
    #expect(try instance.pending() == ["7.json"])
    #expect(try instance.names("cancelled") == [])
    #expect(try instance.history() == history)
  }

  @Test(
    "A child that the process had before it became a run keeps running and does not delay the run",
    arguments: ["exec sleep 300", "trap '' TERM; exec sleep 300"])
  func earlierChild(script: String) throws {
    // The test would fail if the run waited for this grace period.
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/fork"], grace: "1h" }"#)
    try instance.handler("fork", "setsid sleep 1000 >/dev/null 2>&1 &\necho $! >>../left")
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let run = try Program(
      "/bin/sh",
      ["-c", "( \(script) ) & echo $!; exec \"$1\" --config \"$2\" run --spool-only --quiet", "sh"]
    ).start([try Program.bobbin().path, instance.configuration], outputIn: instance.directory).wait()
    let child = try #require(run.outputLines.first.flatMap { Int32($0) })
    defer { kill(child, SIGKILL) }
    #expect(run.status == 0)
    #expect(kill(child, 0) == 0)
    // The processes that the jobs left are ended nevertheless.
    let left = try instance.directory.text("left").split(separator: "\n").compactMap { Int32($0) }
    #expect(left.count == 2)
    for process in left { #expect(kill(process, 0) == -1) }
  }

  @Test("An earlier child of the process keeps running even if another one ended before the run began")
  func earlierZombie() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    // The script has only built-in commands after the second child, so that the shell does not reap that child.
    let script = """
      sleep 300 & echo $!
      ( exit 0 ) & ended=$!
      while read -r line </proc/$ended/stat; do case $line in *') Z '*) break ;; esac; done
      exec "$1" --config "$2" run --spool-only --quiet
      """
    let run = try Program("/bin/sh", ["-c", script, "sh"])
      .start([try Program.bobbin().path, instance.configuration], outputIn: instance.directory).wait()
    let child = try #require(run.outputLines.first.flatMap { Int32($0) })
    defer { kill(child, SIGKILL) }
    #expect(run.status == 0)
    #expect(try instance.names("done") == ["a.json"])
    #expect(kill(child, 0) == 0)
  }

  @Test("A directory in the place of a channel's lock or a result is set aside with its content")
  func directories() throws {
    let instance = try TestInstance()
    try instance.directory.write("spool/channels/1.lock/note", "kept")
    try instance.directory.write("spool/done/a.json/note", "kept")
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let run = try instance.bobbin("run")
    #expect(run.status == 0)
    #expect(
      run.errorLine(with: " warning ", "channels/1.lock was not a file and is now .foreign-1.lock") != nil)
    #expect(
      try instance.ledger() == ["scheduled demo -", "manual demo a.json", "manual demo b.json"])
    #expect(try instance.names("done") == ["a.json", "b.json"])
    #expect(try instance.document("done/a.json")["success"] == true)
    #expect(try instance.claimed() == [])
    #expect(try instance.directory.text("spool/channels/.foreign-1.lock/note") == "kept")
    #expect(try instance.directory.text("spool/done/.foreign-a.json/note") == "kept")
  }

  /// Runs Bobbin with a mount on a trigger, which can be read, but neither moved nor removed, not even by root.
  private func bobbin(
    _ command: String, withMountOn name: String, of content: String, in instance: TestInstance
  )
    throws -> ProgramResult
  {
    try instance.directory.write("mounted", content)
    // In a separate mount namespace, so that nothing stays mounted, even if the test fails.
    return try Program(
      "/usr/bin/env",
      [
        "unshare", "--mount", "sh", "-c",
        "mount --bind \"$1\" \"$2\" && exec \"$3\" --config \"$4\" \(command)", "sh",
      ]
    ).start(
      [
        "\(instance.directory.path)/mounted", "\(instance.spool)/\(name)", try Program.bobbin().path,
        instance.configuration,
      ], outputIn: instance.directory
    ).wait()
  }

  @Test(
    "A run leaves a mount on a trigger alone, processes the other triggers, and exits with a failure",
    arguments: [Self.object, "{ broken", #"{"channel_id": 1, "timestamp": "2020-01-01T00:00:00Z"}"#])
  func mountInRun(content: String) throws {
    let instance = try TestInstance(settings: #"settle: "1ms","#)
    for name in ["a.json", "b.json", "c.json"] { try instance.drop(name, Self.object) }
    let run = try bobbin("run --json", withMountOn: "b.json", of: content, in: instance)
    #expect(run.status == 1, "\(run)")
    #expect(run.errorLine(with: " warning trigger left pending", "trigger=b.json") != nil)
    #expect(try run.json["triggers"]["succeeded"] == 2)
    #expect(try run.json["triggers"]["deferred"] == 1)
    #expect(
      try instance.ledger() == ["scheduled demo -", "manual demo a.json", "manual demo c.json"])
    #expect(try instance.pending() == ["b.json"])
  }

  @Test("The command cancel cancels the other triggers despite a mount on one, and exits with a failure")
  func mountInCancel() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json", "c.json"] { try instance.drop(name) }
    let all = try bobbin("cancel --all", withMountOn: "b.json", of: "1\n", in: instance)
    #expect(all.status == 1)
    #expect(all.outputLines == ["2 cancelled"])
    #expect(all.errorLine(with: " error trigger not cancelled: it cannot be moved: ", "b.json") != nil)
    #expect(try instance.names("cancelled") == ["a.json", "c.json"])
    #expect(try instance.pending() == ["b.json"])

    try instance.drop("d.json")
    let some = try bobbin("cancel b.json none.json d.json", withMountOn: "b.json", of: "1\n", in: instance)
    #expect(some.status == 1)
    #expect(try instance.pending() == ["b.json"])
  }

  @Test("Escape sequences in a path that an error message names do not reach the terminal")
  func escapedPath() throws {
    let directory = try TemporaryDirectory()
    let result = try Program.bobbin().start(
      ["--config", "\(directory.path)/\u{1B}[31mx", "run"], outputIn: directory
    ).wait()
    #expect(result.status != 0)
    #expect(!result.error.contains("\u{1B}"))
    #expect(result.errorLine(with: "bobbin: ", #"/\u{1b}[31mx"#) != nil)
  }

  @Test("A process that wants to write to a leased file does not end the command that has the lease")
  func leaseNotice() throws {
    let instance = try TestInstance()
    // The output is longer than a pipe, so the command has not ended when the first line arrives.
    let names = (10_000..<11_500).map { "\($0).json" }
    for name in names { try instance.drop(name, Self.object) }
    let queue = try Program("/bin/sh", ["-c", "exec \"$1\" --config \"$2\" queue --json >\"$3\"", "sh"])
      .start(
        [try Program.bobbin().path, instance.configuration, instance.started.path],
        outputIn: instance.directory)
    #expect(try JSON(try instance.started.wait())["trigger"] == "10000.json")
    #expect(queue.isRunning)
    queue.signal(SIGIO)
    for name in names.dropFirst() {
      #expect(try JSON(try instance.started.wait())["trigger"] == .string(name))
    }
    #expect(try queue.wait().status == 0)
  }
}
