import Foundation
import TestSupport
import Testing

/// The table of exit statuses. Others are tested elsewhere: 64 in `CommandLineTests`, 65 and 124 in
/// `TriggerCommandTests`, 75 (busy) in `Promise3OneRunOneJobTests` and `RunCommandTests`, 130 and 143 in `JobEndTests`.
@Suite("The exit status", .alone)
struct ExitStatusTests {
  @Test(
    "The status is 0 when all jobs succeeded, and 1 when a job failed", arguments: [("note", 0), ("fail", 1)])
  func doneAndFailed(handler: String, status: Int32) throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/\#(handler)"] }"#)
    #expect(try instance.bobbin("run").status == status)
  }

  @Test("The status is 73 when the spool cannot be made")
  func cannotCreate() throws {
    let instance = try TestInstance(channels: "", settings: "")
    try instance.directory.write("file")
    try instance.directory.write("etc/bobbin.json5", #"{ spool: "../file/spool", channels: [] }"#)
    let run = try instance.bobbin("run")
    #expect(run.status == 73)
    #expect(run.error.hasPrefix("bobbin: cannot "))
    #expect(run.error.contains("file/spool"))
  }

  @Test(
    "The status is 74 when the history cannot be synced, and the next run finishes the claim"
  )
  func inputOutput() throws {
    let instance = try TestInstance()
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let environment = try Preload.environment(in: instance.directory).merging(
      Preload.brokenSync("history.jsonl")
    ) { $1 }
    let run = try instance.bobbin("run", "--spool-only", environment: environment)
    #expect(run.status == 74)
    #expect(run.errorLine(with: "bobbin: cannot sync ", "history.jsonl", "Input/output error") != nil)
    #expect(try instance.names("done") == [])
    // What was written stays. It is written again before anything is concluded from it, but no second time.
    let written = try instance.history()
    #expect(!written.isEmpty)

    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.names("done") == ["a.json", "b.json"])
    for name in ["a.json", "b.json"] {
      #expect(try instance.records(of: name).map { $0["outcome"] } == ["succeeded"])
    }
    #expect(Array(try instance.history().prefix(written.count)) == written)
    // Only a job that ended after the failure, and has no record, is repeated.
    let executed = try instance.ledger()
    for record in written {
      #expect(executed.filter { $0 == "manual demo \(record["trigger"].string ?? "")" }.count == 1)
    }
  }

  @Test("The status is 75 when the disk is full before the first job, no job starts, and triggers stay")
  func noSpace() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let environment = try Preload.environment(in: instance.directory).merging(Preload.fullDisk) { $1 }
    try instance.drop("done/recent.json")
    let run = try instance.bobbin("run", "--json", environment: environment)
    #expect(run.status == 75)
    let message =
      "cannot write to '\(instance.spool)': No space left on device: 0 KiB are free, 256 KiB are needed"
    #expect(run.error.contains("\(message) (nothing more was started; free some space"))
    // A run that finds another one active ends with 75 as well, and has the status "busy".
    #expect(try run.json["status"] == "no_space")
    #expect(try run.json["path"].string == instance.spool)
    #expect(try [run.json["free_bytes"], run.json["needed_bytes"]] == [0, 262_144])
    #expect(try run.json["message"].string == message)
    #expect(try instance.names("done") == ["recent.json"])
    #expect(try instance.ledger() == [])
    #expect(try instance.pending() == ["a.json"])
    #expect(try !instance.isLocked("scheduler.lock"))
  }

  @Test(
    "A run on a full disk removes old results first, and goes on when that was enough",
    arguments: ["run", "watch"])
  func oldResultsFirst(command: String) throws {
    let instance = try TestInstance()
    try instance.drop("done/old.json", age: .seconds(8 * 24 * 3_600))
    try instance.drop("a.json")
    let environment = try Preload.environment(in: instance.directory).merging(
      Preload.fullDisk(while: "\(instance.spool)/done/old.json")
    ) { $1 }
    if command == "run" {
      #expect(try instance.bobbin("run", "--spool-only", environment: environment).status == 0)
    } else {
      let watch = try instance.start("watch", "--every", "20ms", environment: environment)
      try waitUntil("the trigger is done") { try instance.names("done").contains("a.json") }
      watch.signal(SIGTERM)
      #expect(try watch.wait().status == 143)
    }
    #expect(try instance.names("done") == ["a.json"])
    #expect(try instance.ledger() == ["manual demo a.json"])
  }

  @Test("The status is 77 for a user who may not run the batch, with the remedy")
  func permission() throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    let program = try UnprivilegedProgram(in: instance)
    chmod(instance.spool, geteuid() == 0 ? 0o700 : 0)
    defer { chmod(instance.spool, 0o755) }
    let run = try program.start(["run"]).wait()
    #expect(run.status == 77)
    #expect(run.error.contains("Permission denied (run it as the spool's owner; bobbin check says more)"))
    #expect(run.output == "")
  }

  @Test("A channel's lock file that root has left does not keep other channels or triggers from running")
  func foreignChannelLock() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "bad", command: ["handlers/note"] }, { id: 2, name: "demo", command: ["handlers/note"] },
        """)
    for (name, channel) in [("a.json", "1"), ("b.json", "2")] { try instance.drop(name, channel) }
    let program = try UnprivilegedProgram(in: instance)
    try instance.directory.write("spool/channels/1.lock")
    if geteuid() == 0 { _ = try Script.run("chown -R nobody '\(instance.directory.path)'") }
    chmod("\(instance.spool)/channels/1.lock", 0)
    let run = try program.start(["run", "--json"]).wait()
    #expect(run.status == 1)
    #expect(try run.json["channels"] == ["total": 2, "succeeded": 1, "failed": 1, "skipped": 0])
    #expect(try run.json["triggers"]["succeeded"] == 1)
    #expect(try run.json["triggers"]["deferred"] == 1)
    #expect(run.errorLine(with: "channels/1.lock': Permission denied; give the file to the user") != nil)
    #expect(try instance.pending() == ["a.json"])
    #expect(try instance.ledger() == ["scheduled demo -", "manual demo b.json"])
  }

  @Test("The status is 77 on a read-only file system, with the remedy")
  func readOnly() throws {
    let instance = try TestInstance()
    // In a separate mount namespace, so that nothing stays mounted, even if the test fails.
    let run = try Program(
      "/usr/bin/env",
      [
        "unshare", "--mount", "sh", "-c",
        "mount --bind -o ro \"$1\" \"$1\" && exec \"$2\" --config \"$3\" run", "sh", instance.spool,
        try Program.bobbin().path, instance.configuration,
      ]
    ).start(outputIn: instance.directory).wait()
    #expect(run.status == 77)
    #expect(run.error.contains("Read-only file system (its file system is mounted read-only"), "\(run)")
  }

  @Test("A user who may not open the lock can still submit a trigger, and the answer is `queued`")
  func submitsOnly() throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    let program = try UnprivilegedProgram(in: instance)
    chmod(instance.spool, 0o1777)
    for folder in TestInstance.finalFolders + ["running", "logs", "channels"] {
      chmod("\(instance.spool)/\(folder)", geteuid() == 0 ? 0o750 : 0)
    }
    defer {
      for folder in TestInstance.finalFolders + ["running", "logs", "channels"] {
        chmod("\(instance.spool)/\(folder)", 0o750)
      }
    }
    let answer = try program.start(["trigger", "demo", "--user", "guest", "--json"]).wait()
    #expect(answer.status == 0)
    #expect(try answer.json["status"] == "queued")
    let name = try #require(try answer.json["trigger"].string)
    #expect(try instance.pending() == [name])
  }

  @Test(
    "The status is 78 for a faulty configuration, and each fault has its file, line and key",
    arguments: [
      ("{ channels: [ ] ", ":1:"), ("{}", "channels: missing"),
      (
        #"{ channels: [ { id: 1, name: "a", command: ["true"], timout: "1h" } ] }"#,
        #"did you mean "timeout"?"#
      ),
      (#"{ chanels: [] }"#, #"did you mean "channels"?"#),
      (#"{ expire_after: "5", channels: [] }"#, #"write "5s""#),
      (
        #"{ channels: [ { id: 1, name: "a", command: ["true"] }, { id: 1, name: "b", command: ["true"] } ] }"#,
        "id: 1 is taken"
      ),
    ])
  func configuration(text: String, message: String) throws {
    let instance = try TestInstance()
    try instance.directory.write("etc/bobbin.json5", text)
    for command in ["run", "check", "status"] {
      let result = try instance.bobbin(command)
      #expect(result.status == 78)
      #expect(result.output == "")
      #expect(result.error.hasPrefix("bobbin: \(instance.configuration)"))
      #expect(result.error.contains(message), "\(result.error)")
    }
  }

  @Test("The status is 78 when the configuration does not exist, and the message says who named it")
  func noConfiguration() throws {
    let directory = try TemporaryDirectory()
    let missing = try Program.bobbin().start(["--config", "/nowhere/x.json5", "run"], outputIn: directory)
      .wait()
    #expect(missing.status == 78)
    #expect(
      missing.error
        == "bobbin: the configuration that --config names cannot be used: cannot open '/nowhere/x.json5': No such file or directory\n"
    )
  }

  @Test("Two faults are printed on two lines")
  func twoFaults() throws {
    let instance = try TestInstance()
    try instance.directory.write(
      "etc/bobbin.json5", "{\n  spol: \"x\",\n  max_attempts: 0,\n  channels: []\n}\n")
    let result = try instance.bobbin("run")
    #expect(result.status == 78)
    #expect(result.errorLines.count == 2)
    #expect(result.errorLine(with: "bobbin.json5:2: ", "spol") != nil)
    #expect(result.errorLine(with: "bobbin.json5:3: ", "max_attempts") != nil)
  }
}
