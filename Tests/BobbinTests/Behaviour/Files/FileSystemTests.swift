import Foundation
import Posix
import TestSupport
import Testing

/// What bobbin makes of file systems, kernels and container hosts that differ from what it was made on.
@Suite("Other file systems", .alone)
struct FileSystemTests {
  private static let object = #"{"channel_id": 1}"#

  private func instance(_ settings: String = #"settle: "100ms","#) throws -> TestInstance {
    try TestInstance(settings: settings)
  }

  private func preload(_ mode: [String: String], _ instance: TestInstance) throws -> [String: String] {
    try Preload.environment(in: instance.directory).merging(mode) { $1 }
  }

  /// The names that begin with a full stop.
  private func hidden(_ folder: String, in instance: TestInstance) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(instance.spool)/\(folder)").filter {
      $0.hasPrefix(".")
    }
  }

  @Test("A name that is too long to be claimed on its file system stays, with a warning, and blocks nothing")
  func longName() throws {
    let instance = try instance()
    let environment = try preload(Preload.nameLimit(143), instance)
    let long = "a" + String(repeating: "n", count: 143 - 6) + ".json"
    for name in [long, "b.json"] { try instance.drop(name, Self.object) }
    // It would be expired, and one more that would be rejected.
    let old = "a" + String(repeating: "o", count: 143 - 6) + ".json"
    try instance.drop(old, Self.object, age: .seconds(7_200))
    let broken = "a" + String(repeating: "p", count: 143 - 6) + ".json"
    try instance.drop(broken, "{ broken")

    let run = try instance.bobbin("run", environment: environment)
    #expect(run.status == 1, "\(run)")
    for name in [long, old, broken] {
      #expect(
        run.errorLine(
          with: " warning trigger left pending", "File name too long", "give it a shorter name", name) != nil)
    }
    #expect(try instance.ledger() == ["scheduled demo -", "manual demo b.json"])
    #expect(try instance.pending() == [long, old, broken])

    try instance.drop("c.json", Self.object)
    let cancel = try instance.bobbin("cancel", long, "c.json", environment: environment)
    #expect(cancel.status == 1, "\(cancel)")
    #expect(cancel.errorLine(with: " error trigger not cancelled", "give it a shorter name", long) != nil)
    #expect(try instance.names("cancelled") == ["c.json"])
    #expect(try instance.bobbin("prune", environment: environment).status == 1)
    #expect(try instance.bobbin("cancel", "--all", environment: environment).status == 1)
    #expect(try instance.pending() == [long, old, broken])
  }

  @Test(
    "What is set aside loses the end of its name when that is too long for the file system, and stops no run")
  func longForeignName() throws {
    let instance = try instance()
    let environment = try preload(Preload.nameLimit(143), instance)
    // As long as a claim allows: `1.1.` stands before it.
    let name = String(repeating: "n", count: 143 - 4 - 5) + ".json"
    try instance.directory.write("spool/done/\(name)/note", "kept")
    try instance.drop(name, Self.object)
    let run = try instance.bobbin("run", "--spool-only", environment: environment)
    #expect(run.status == 0, "\(run)")
    #expect(try instance.document("done/\(name)")["success"] == true)
    let aside = try #require(try hidden("done", in: instance).first { $0.hasPrefix(".foreign-nnn") })
    #expect(aside.utf8.count == 143)
    #expect(try instance.directory.text("spool/done/\(aside)/note") == "kept")
    #expect(try instance.claimed() == [])
  }

  @Test("A host whose filter answers EPERM to calls that it does not know runs everything")
  func oldFilter() throws {
    let instance = try instance()
    let environment = try preload(Preload.oldFilter, instance)
    #expect(try instance.bobbin("--version", environment: environment).status == 0)
    #expect(try instance.bobbin("check", environment: environment).status == 0)
    for name in ["a.json", "b.json", "c.json"] { try instance.drop(name, Self.object) }
    #expect(try instance.bobbin("cancel", "c.json", environment: environment).status == 0)
    let run = try instance.bobbin("run", environment: environment)
    #expect(run.status == 0, "\(run)")
    #expect(try instance.ledger() == ["scheduled demo -", "manual demo a.json", "manual demo b.json"])
    #expect(try instance.bobbin("trigger", "demo", environment: environment).status == 0)
    #expect(try instance.ledger().count == 4)
    #expect(try instance.claimed() == [])
  }

  @Test(
    "Without /proc every command says so, with 71",
    arguments: ["umount --lazy /proc", "mount -t tmpfs none /proc"])
  func withoutProc(how: String) throws {
    let instance = try instance()
    try instance.drop("a.json")
    for command in ["run", "status", "trigger demo", "--version"] {
      // In a mount namespace of its own, so that nothing stays unmounted, however the test ends.
      let result = try Program(
        "/usr/bin/env",
        ["unshare", "--mount", "sh", "-c", "\(how) && exec \"$1\" --config \"$2\" \(command)", "sh"]
      ).start([try Program.bobbin().path, instance.configuration], outputIn: instance.directory).wait()
      #expect(result.status == 71, "\(result)")
      #expect(result.errorLine(with: "bobbin: ", "/proc is not mounted") != nil, "\(result)")
    }
    #expect(try instance.pending() == ["a.json"])
    #expect(try instance.ledger() == [])
  }

  @Test(
    "Where every lease is refused, a file is complete once it has not changed for the time to settle",
    arguments: [("1.json", ""), ("a.json", "1\n"), ("b.json", "\"demo\""), ("c.json", "{ broken")])
  func refusedLeases(name: String, content: String) throws {
    let instance = try instance()
    let environment = try preload(Preload.refusedLeases, instance)
    try instance.drop(name, content)
    let run = try instance.bobbin("run", "--spool-only", environment: environment)
    #expect(run.status == 0, "\(run)")
    #expect(try instance.pending() == [])
    #expect(try instance.names(content.hasPrefix("{") ? "rejected" : "done") == [name])
    // What it took to find out is gone.
    #expect(try hidden(".", in: instance) == [".history-id"])
  }

  @Test("Where leases are granted, a refused lease means that somebody is writing")
  func meaningfulLease() throws {
    let instance = try instance(#"settle: "1ms","#)
    try instance.drop("1.json", "")
    let run: RunningProgram
    do {
      let writer = try Directory(path: instance.spool).open(FileName("1.json"), .append)
      run = try instance.start("run", "--spool-only")
      try instance.drop("2.json", Self.object)
      try waitUntil("the other one is run") { try instance.names("done") == ["2.json"] }
      #expect(run.isRunning)
      #expect(try instance.pending() == ["1.json"])
      _ = writer.number
    }
    #expect(try run.wait().status == 0)
    #expect(try instance.names("done") == ["1.json", "2.json"])
    #expect(try hidden(".", in: instance) == [".history-id"])
  }

  @Test("A second name is believed only when the file system itself says so, not a cache")
  func staleLinkCount() throws {
    let instance = try instance(#"settle: "1ms","#)
    let environment = try preload(Preload.staleLinkCounts, instance)
    try instance.drop("a.json", Self.object)
    let answer = try instance.bobbin("trigger", "demo", "--json", environment: environment)
    #expect(answer.status == 0, "\(answer)")
    #expect(try answer.json["status"] == "completed")
    #expect(try instance.ledger().count == 2)
    #expect(try instance.names("rejected") == [])
    #expect(try instance.names("done").count == 2)
    // Bobbin's own files are not taken for somebody else's.
    #expect(try hidden(".", in: instance) == [".history-id"])
  }

  @Test("A trigger that no run can claim is not queued: `trigger` says so, with 74, and `run` warns")
  func disksApart() throws {
    let instance = try instance()
    let environment = try preload(Preload.disksApart, instance)
    for wait in [[], ["--wait", "10s"]] {
      let answer = try instance.start(["trigger", "demo", "--json"] + wait, environment: environment).wait()
      #expect(answer.status == 74, "\(answer)")
      #expect(answer.output == "")
      #expect(answer.errorLine(with: "bobbin: ", "cannot be claimed", "stays pending") != nil)
    }
    #expect(try instance.pending().count == 2)
    let run = try instance.bobbin("run", "--spool-only", environment: environment)
    #expect(run.status == 1)
    #expect(
      run.errorLine(with: " warning trigger left pending: it cannot be claimed", "Invalid cross-device link")
        != nil)
  }

  @Test("A lock that is denied because somebody holds it is held: a run ends with 75")
  func deniedLocks() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/hold"] }"#)
    let environment = try preload(Preload.deniedLocks, instance)
    let first = try instance.start("run", environment: environment)
    try instance.started.wait()
    let second = try instance.bobbin("run", environment: environment)
    #expect(second.status == 75, "\(second)")
    #expect(second.errorLine(with: " warning busy: nothing done") != nil)
    #expect(try instance.bobbin("status", "--json", environment: environment).json["state"] == "running")
    try instance.release.pass()
    #expect(try first.wait().status == 0)
  }

  @Test("A file system that does not count its files has room for more")
  func uncountedFiles() throws {
    let instance = try instance()
    let environment = try preload(Preload.uncountedFiles, instance)
    try instance.drop("a.json", Self.object)
    let run = try instance.bobbin("run", "--spool-only", environment: environment)
    #expect(run.status == 0, "\(run)")
    #expect(try instance.names("done") == ["a.json"])
  }
}
