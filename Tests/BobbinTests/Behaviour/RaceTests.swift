import Foundation
import Posix
import TestSupport
import Testing

@Suite("Races", .alone)
struct RaceTests {
  private static let held = #"{ id: 1, name: "held", command: ["handlers/hold"] }"#

  @Test("Each of many simultaneous requests is carried out once, by the holder of the lock")
  func manyTriggers() throws {
    let instance = try TestInstance()
    let programs = try (1...8).map { _ in try instance.start("trigger", "demo", "--json") }
    var names: [String] = []
    for program in programs {
      let result = try program.wait()
      #expect(result.status == 0, "\(result)")
      names.append(try #require(try result.json["trigger"].string))
    }
    #expect(Set(names).count == 8)
    #expect(try instance.pending() == [])
    #expect(try instance.names("done") == names.sorted())
    #expect(try instance.ledger().sorted() == names.sorted().map { "manual demo \($0)" })
    let ids = try instance.history().map { $0["id"] }
    #expect(Set(ids).count == ids.count)
  }

  @Test("Each trigger is cancelled once by many simultaneous commands, and an id is not used twice")
  func manyCancel() throws {
    let instance = try TestInstance()
    let names = (1...6).map { "\($0).json" }
    for name in names { try instance.drop(name) }
    let programs = try (1...4).map { _ in try instance.start(["cancel", "--json"] + names) }
    var taken: [JSON] = []
    for program in programs {
      taken += try program.wait().jsonLines.filter { $0["cancelled"] == true }.map { $0["trigger"] }
    }
    #expect(taken.compactMap(\.string).sorted() == names)
    #expect(try instance.names("cancelled") == names)
    let ids = try instance.history().map { $0["id"] }
    #expect(ids.count == 6)
    #expect(Set(ids).count == 6)
    #expect(try instance.names("running") == [])
  }

  @Test("A name that is dropped again while its job runs is a new request")
  func droppedAgain() throws {
    let instance = try TestInstance(channels: Self.held)
    try instance.drop("a.json")
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    try instance.drop("a.json")
    try instance.release.pass(times: 2)
    #expect(try run.wait().status == 0)
    #expect(try instance.ledger() == ["manual held a.json", "manual held a.json"])
    #expect(try instance.records(of: "a.json").map { $0["attempt"] } == [1, 1])
  }

  @Test("A trigger that cannot be put back because a newer one has its name is still run")
  func nameTakenMeanwhile() throws {
    let instance = try TestInstance(channels: Self.held)
    try instance.drop("a.json", "1")
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    try instance.drop("a.json", "\"held\"")
    run.signal(SIGTERM)
    let stopped = try run.wait()
    #expect(stopped.status == 143)
    #expect(stopped.errorLine(with: " warning trigger waits for the next run", "trigger=a.json") != nil)
    #expect(try instance.pending() == ["a.json"])
    #expect(try instance.claimed().count == 1)

    try instance.release.pass(times: 2)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger().count == 3)
    #expect(try instance.pending() == [])
    #expect(try instance.claimed() == [])
    let final = try instance.records(of: "a.json").filter { $0["requeued"] != true }
    #expect(final.map { $0["outcome"] } == ["succeeded", "succeeded"])
  }

  @Test("A trigger that a crash cut short runs while a file that sorts before it is being written")
  func recoveredBeforeUnsettled() throws {
    let instance = try TestInstance(channels: Self.held)
    try instance.drop("z.json")
    let killed = try instance.start("run", "--spool-only")
    try instance.started.wait()
    killed.signal(SIGKILL)
    _ = try killed.wait()
    try instance.release.pass()
    try waitUntil("the orphan has ended") { try !instance.isLocked("channels/1.lock") }

    let run: RunningProgram
    do {
      let writer = try Directory(path: instance.spool).open(FileName("a.json"), .createNew)
      run = try instance.start("run", "--spool-only")
      try instance.started.wait()
      #expect(try instance.ledger() == ["manual held z.json", "manual held z.json"])
      try writer.write(Array("1".utf8))
    }
    try instance.release.pass(times: 2)
    #expect(try run.wait().status == 0)
    #expect(try instance.ledger().last == "manual held a.json")
  }

  @Test("A trigger that waits to be put back does not lose attempts when the batch is stopped repeatedly")
  func waitingIsNoAttempt() throws {
    let instance = try TestInstance(channels: Self.held, settings: "max_attempts: 1,")
    try instance.drop("a.json")
    for round in 1...3 {
      let run = try instance.start("run", "--spool-only")
      try instance.started.wait()
      if round == 1 { try instance.drop("a.json", "\"held\"") }
      run.signal(SIGTERM)
      #expect(try run.wait().status == 143)
    }
    #expect(try instance.claimed().count == 1)
    try instance.release.pass(times: 2)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    let final = try instance.records(of: "a.json").filter { $0["requeued"] != true }
    #expect(final.map { $0["outcome"] } == ["succeeded", "succeeded"])
  }

  @Test("A run whose lock file is removed does not start another job, because another run could begin")
  func lockRemoved() throws {
    let instance = try TestInstance(channels: Self.held)
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    #expect(unlink("\(instance.spool)/scheduler.lock") == 0)
    try instance.release.pass()
    let result = try run.wait()
    #expect(result.status == 73)
    #expect(result.error.contains("cannot continue without the lock file (it was removed or replaced)"))
    #expect(try instance.ledger() == ["manual held a.json"])
    // The job that has begun is finished, and the next run does the rest. Nothing is lost.
    try instance.release.pass(times: 2)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.names("done") == ["a.json", "b.json"])
    #expect(try instance.records(of: "a.json").count == 1)
  }

  @Test("A lock that the configuration puts elsewhere is used")
  func lockElsewhere() throws {
    let instance = try TestInstance(channels: Self.held, settings: #"lock: "../locks/bobbin.lock","#)
    _ = try instance.directory.path("spool/x")
    _ = try instance.directory.path("locks/x")
    let run = try instance.start("run")
    try instance.started.wait()
    #expect(try instance.bobbin("run").status == 75)
    #expect(try instance.bobbin("status", "--json").json["state"] == "running")
    try instance.release.pass()
    #expect(try run.wait().status == 0)
    #expect(!instance.directory.exists("spool/scheduler.lock"))
  }

  @Test("A closed standard stream does not make output go to another file", arguments: [0, 1, 2])
  func closedStream(number: Int) throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let bobbin = try Program.bobbin().path
    let result = try Program(
      "/bin/sh", ["-c", "\"$1\" --config \"$2\" run --json \(number)>&-; true", "sh"]
    ).start([bobbin, instance.configuration], outputIn: instance.directory).wait()
    #expect(result.status == 0)
    #expect(try instance.ledger() == ["scheduled demo -", "manual demo a.json"])
    #expect(try instance.history().count == 3)
    #expect(try instance.directory.text("spool/scheduler.lock") == "")
    #expect(
      try instance.directory.text("spool/.history-id").wholeMatch(of: /[0-9]+ [0-9]+\n/) != nil)
    #expect(try instance.document("done/a.json")["success"] == true)
    for log in try instance.names("logs") {
      #expect(try instance.directory.text("spool/logs/\(log)") == "item\n")
    }
  }
}
