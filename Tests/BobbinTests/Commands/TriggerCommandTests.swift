import Foundation
import Posix
import Spool
import TestSupport
import Testing

@Suite("A request by bobbin trigger", .alone)
struct TriggerCommandTests {
  private static let two = """
    { id: 1, name: "demo", command: ["handlers/note"] },
    { id: 2, name: "held", command: ["handlers/hold"] },
    { id: 3, name: "off", command: ["handlers/note"], enabled: false },
    { id: 4, name: "bad", command: ["handlers/fail"] },
    """

  @Test("A request on an idle spool is carried out at once, and answered with exactly the documented fields")
  func completed() throws {
    let instance = try TestInstance()
    let answer = try instance.bobbin("trigger", "demo", "--json")
    #expect(answer.status == 0)
    let name = try #require(try instance.names("done").first)
    #expect(name.wholeMatch(of: /[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-1\.json/) != nil)
    #expect(
      answer.output == """
        {"status":"completed","success":true,"videos_downloaded":1,"error_message":null,\
        "download_history_id":1,"message":"1 video downloaded.","position":null,"trigger":"\(name)"}

        """)
    #expect(try instance.ledger() == ["manual demo \(name)"])
  }

  @Test("The answer for people says what happened and where to read more")
  func humanAnswer() throws {
    let instance = try TestInstance(channels: Self.two)
    let good = try instance.bobbin("trigger", "1", "--quiet")
    #expect(good.output == "" && good.error == "" && good.status == 0)
    #expect(
      try instance.bobbin("trigger", "demo").output
        == "completed: 1 video downloaded. (id 3; bobbin log 3 shows what was written)\n")
    let queued = try instance.bobbin("trigger", "demo", "--queue")
    #expect(queued.output == "queued at position 1: Manual download queued.\n")
  }

  @Test("A failed download is in the answer and gives exit status 1")
  func failed() throws {
    let instance = try TestInstance(channels: Self.two)
    let answer = try instance.bobbin("trigger", "bad", "--json")
    #expect(answer.status == 1)
    let json = try answer.json
    #expect(json["status"] == "completed")
    #expect(json["success"] == false)
    #expect(json["videos_downloaded"] == 0)
    #expect(json["error_message"] == "exit status 3: no such video")
    #expect(json["message"] == "The download failed.")
    #expect(json["download_history_id"] == 1)
    #expect(try instance.names("failed") == [json["trigger"].string])
  }

  @Test("The option --queue writes a complete trigger and does not run it")
  func queueOnly() throws {
    let instance = try TestInstance()
    let answer = try instance.bobbin("trigger", "demo", "--queue", "--user", "anna", "--json")
    #expect(answer.status == 0)
    #expect(try answer.json["message"] == "Manual download queued.")
    #expect(try instance.ledger() == [])
    let name = try #require(try instance.pending().first)
    let content = try JSON(try instance.directory.text("spool/\(name)"))
    #expect(content.names == ["channel_id", "timestamp", "user"])
    #expect(content["channel_id"] == 1)
    #expect(content["user"] == "anna")
  }

  @Test("The trigger names the user from --user, otherwise from $USER, otherwise nobody")
  func user() throws {
    let instance = try TestInstance()
    _ = try instance.bobbin("trigger", "demo", "--user", "anna", environment: ["USER": "berta"])
    _ = try instance.bobbin("trigger", "demo", environment: ["USER": "berta"])
    _ = try instance.bobbin("trigger", "demo")
    let users = try instance.history().filter { $0["kind"] == "manual" }.map { $0["user"] }
    #expect(users == ["anna", "berta", nil])
  }

  @Test(
    "The trigger names nobody when $USER cannot be used",
    arguments: ["", "a\nb", "\u{202E}x", String(repeating: "x", count: 1025)])
  func badDefaultUser(user: String) throws {
    let instance = try TestInstance()
    let answer = try instance.bobbin("trigger", "demo", "--json", environment: ["USER": user])
    #expect(answer.status == 0)
    #expect(try answer.json["success"] == true)
    let record = try #require(try instance.history().first)
    #expect(record["user"] == nil)
  }

  @Test(
    "A user that a trigger may not name is refused before anything is written",
    arguments: ["", "a\nb", "\u{202E}x"])
  func badUser(user: String) throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("trigger", "demo", "--user=\(user)").status == 64)
    #expect(try instance.pending() == [])
  }

  @Test(
    "An unknown or disabled channel is refused with 65, and a similar name is suggested",
    arguments: [
      ("demmo", #"no channel "demmo""#), ("demmo", #"did you mean "demo"?"#), ("99", "no channel 99"),
      ("off", #"channel "off" is disabled"#), ("3", "disabled"),
    ])
  func noSuchChannel(channel: String, message: String) throws {
    let instance = try TestInstance(channels: Self.two)
    let answer = try instance.bobbin("trigger", channel, "--json")
    #expect(answer.status == 65)
    #expect(answer.error.contains(message))
    #expect(answer.output == "")
    #expect(try instance.pending() == [])
  }

  @Test("The option --wait answers `completed` once the active run has processed the trigger")
  func waitUntilDone() throws {
    let instance = try TestInstance(channels: Self.two)
    let run = try instance.start("run", "--spool-only")
    _ = try run.wait()
    let holder = try instance.start("trigger", "held")
    try instance.started.wait()
    let waiting = try instance.start("trigger", "demo", "--wait", "--json")
    try waitUntil("the trigger is written") { try instance.pending().count == 1 }
    try instance.release.pass()
    let answer = try waiting.wait()
    #expect(answer.status == 0)
    #expect(try answer.json["status"] == "completed")
    #expect(try answer.json["success"] == true)
    #expect(try holder.wait().status == 0)
  }

  @Test("A wait that times out exits with 124 and leaves the trigger queued")
  func waitRunsOut() throws {
    let instance = try TestInstance(channels: Self.two)
    let holder = try instance.start("trigger", "held")
    try instance.started.wait()
    let answer = try instance.bobbin("trigger", "demo", "--wait", "50ms", "--json")
    #expect(answer.status == 124)
    #expect(try answer.json["status"] == "queued")
    #expect(try instance.pending().count == 1)
    try instance.release.pass()
    #expect(try holder.wait().status == 0)
    #expect(try instance.pending() == [])
  }

  @Test("The answer comes as soon as its trigger is done, and the rest of the spool is drained afterwards")
  func answersBeforeTheRest() throws {
    let instance = try TestInstance(channels: Self.two)
    // This name sorts after the trigger that `bobbin trigger` writes.
    try instance.drop("z.json", "2")
    let trigger = try instance.start("trigger", "demo", "--json")
    try instance.started.wait()
    try waitUntil("the answer has come while the next job is still running") {
      try instance.names("done").count == 1 && trigger.isRunning
    }
    #expect(try instance.ledger().count == 2)
    try instance.release.pass()
    let answer = try trigger.wait()
    #expect(try answer.json["success"] == true)
    #expect(try instance.names("done").count == 2)
  }

  @Test("A shell script that holds the lock without a note counts as an active run")
  func scriptHoldsTheLock() throws {
    let instance = try TestInstance()
    let script = try Program(
      "/usr/bin/env",
      [
        "flock", "\(instance.spool)/scheduler.lock", "sh", "-c",
        "echo held >'\(instance.started.path)'; read -r line <'\(instance.release.path)'",
      ]
    ).start(outputIn: instance.directory)
    try instance.started.wait()
    let answer = try instance.bobbin("trigger", "demo", "--json")
    #expect(answer.status == 0)
    #expect(try answer.json["status"] == "queued")
    let run = try instance.bobbin("run")
    #expect(run.status == 75)
    #expect(run.errorLine(with: " warning busy", "flock") != nil)
    #expect(try instance.ledger() == [])
    try instance.release.pass()
    #expect(try script.wait().status == 0)
  }

  /// Waits until a `bobbin trigger --wait` has found that another process holds the lock, and polls.
  private func waitUntilQueued(_ trigger: RunningProgram, _ instance: TestInstance) throws {
    try waitUntil("the trigger is written") { try instance.pending().count == 1 }
    // It waits for the disk two or three times, and tries ten times to take a lock whose holder has not left a note.
    try trigger.waitForPolls(18)
  }

  @Test("A waiting submitter takes over when the holder of the lock ends without draining the spool")
  func takesOver() throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    try instance.clearLedger()
    let lock = try instance.directory.open().directory(FileName("spool")).lock("scheduler.lock")
    let waiting = try instance.start("trigger", "demo", "--wait", "20s", "--json")
    try waitUntilQueued(waiting, instance)
    withExtendedLifetime(consume lock) {}
    let result = try waiting.wait(.seconds(20))
    #expect(result.status == 0)
    #expect(try result.json["status"] == "completed")
    #expect(try instance.ledger().count == 1)
  }

  @Test("A waiting submitter does not run the batch repeatedly while its trigger has to stay pending")
  func takesOverOnce() throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    let spool = try instance.directory.open().directory(FileName("spool"))
    let channel = try spool.directory(FileName("channels")).lock("1.lock")
    let lock = try spool.lock("scheduler.lock")
    let waiting = try instance.start("trigger", "demo", "--wait", "4s", "--json")
    try waitUntilQueued(waiting, instance)
    withExtendedLifetime(consume lock) {}
    #expect(try waiting.wait().status == 124)
    withExtendedLifetime(consume channel) {}
    #expect(try instance.history().filter { $0["kind"] == "run" }.count == 2)
  }

  @Test("A waiting submitter does not start a run when its trigger is gone")
  func takesNothingOver() throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    let lock = try instance.directory.open().directory(FileName("spool")).lock("scheduler.lock")
    let waiting = try instance.start("trigger", "demo", "--wait", "3s", "--json")
    try waitUntilQueued(waiting, instance)
    #expect(unlink("\(instance.spool)/\(try instance.pending()[0])") == 0)
    withExtendedLifetime(consume lock) {}
    #expect(try waiting.wait().status == 124)
    #expect(try instance.history().filter { $0["kind"] == "run" }.count == 1)
  }

  @Test("A waiting submitter takes over when the run that had claimed its trigger was killed")
  func takesOverFromKilledRun() throws {
    let instance = try TestInstance(channels: Self.two)
    try instance.drop("0.json", "2")
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    let waiting = try instance.start("trigger", "held", "--wait", "20s", "--json")
    try waitUntilQueued(waiting, instance)
    try instance.release.pass()
    try instance.started.wait()
    try waitUntil("the first trigger is done") { try instance.names("done") == ["0.json"] }
    // It must not poll again before the run is completely gone.
    waiting.signal(SIGSTOP)
    run.signal(SIGKILL)
    #expect(try run.wait().status == -SIGKILL)
    try instance.release.pass()
    try waitUntil("the orphan has ended") { try !instance.isLocked("channels/2.lock") }
    waiting.signal(SIGCONT)
    try instance.started.wait()
    try instance.release.pass()
    let result = try waiting.wait()
    #expect(result.status == 0)
    #expect(try result.json["status"] == "completed")
  }

  @Test("A wait that times out during the job says so, and does not give a position")
  func waitRunsOutInJob() throws {
    let instance = try TestInstance(channels: Self.two)
    try instance.drop("0.json", "2")
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    let waiting = try instance.start("trigger", "held", "--wait", "3s", "--json")
    try waitUntil("the trigger is written") { try instance.pending().count == 1 }
    try instance.release.pass()
    try instance.started.wait()
    let result = try waiting.wait()
    #expect(result.status == 124)
    #expect(try result.json["status"] == "queued")
    #expect(try result.json["message"] == "A run has claimed the manual download.")
    #expect(try result.json["position"] == nil)
    #expect(result.errorLine(with: " the wait timed out; a run has claimed the trigger", "after=3s") != nil)
    try instance.release.pass()
    #expect(try run.wait().status == 0)
  }

  @Test("A wait that a signal ends says that the trigger is pending, not that the time is up")
  func stoppedWaiting() throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    let lock = try instance.directory.open().directory(FileName("spool")).lock("scheduler.lock")
    let waiting = try instance.start("trigger", "demo", "--wait", "20s")
    try waitUntilQueued(waiting, instance)
    waiting.signal(SIGINT)
    let result = try waiting.wait()
    #expect(try lock.isStillInPlace())
    #expect(result.status == 130)
    #expect(result.output.hasPrefix("queued at position 1: "))
    #expect(result.errorLine(with: " stopped waiting; the trigger is still pending") != nil)
    #expect(!result.error.contains("after="))
  }

  @Test("A user who may not read the history waits only until a run has claimed the trigger")
  func waitsWithoutHistory() throws {
    let instance = try TestInstance()
    // A run that executes a job makes the history.
    #expect(try instance.bobbin("run").status == 0)
    let program = try UnprivilegedProgram(in: instance)
    chmod(instance.spool, 0o1777)
    // Unreadable for others or, if the tests do not run as root, for everybody.
    for name in SpoolFolder.allCases.map(\.rawValue) + ["history.jsonl"] {
      chmod("\(instance.spool)/\(name)", geteuid() == 0 ? 0o750 : 0)
    }
    defer { for folder in SpoolFolder.allCases { chmod("\(instance.spool)/\(folder)", 0o750) } }
    let waiting = try program.start(["trigger", "demo", "--wait", "1h", "--json"])
    try waitUntil("the trigger is written") { try instance.pending().count == 1 }
    // This is the first thing that a run does.
    let trigger = "\(instance.spool)/\(try instance.pending()[0])"
    #expect(rename(trigger, "\(instance.directory.path)/claimed") == 0)
    let result = try waiting.wait()
    #expect(result.status == 77)
    #expect(try result.json["status"] == "queued")
    #expect(try result.json["position"] == nil)
    #expect(result.errorLine(with: " a run has claimed the trigger, and its result cannot be read") != nil)
  }
}
