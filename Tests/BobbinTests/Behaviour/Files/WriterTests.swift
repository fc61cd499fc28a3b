import Foundation
import TestSupport
import Testing

/// How the files come into the spool: written in place, twice, slowly, or under another user's umask.
@Suite("Writers of trigger files", .alone)
struct WriterTests {
  private static let channels = """
    { id: 1, name: "demo", command: ["handlers/note"] },
    { id: 7, name: "cats", command: ["handlers/note"] },
    """

  @Test("What is written in place over a pending object is read, because an object that is open is not taken")
  func writtenInPlace() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json", #"{"channel_id": 1}"#)
    try instance.drop("b.json", "1")
    // As `rsync --inplace` and scp do it: opened for update, not truncated.
    let file = try #require(fopen("\(instance.spool)/a.json", "r+e"))
    let run = try instance.start("run", "--spool-only")
    try waitUntil("the other trigger is run") { try instance.ledger() == ["manual demo b.json"] }
    #expect(run.isRunning)
    fputs(#"{"channel_id": 7}"#, file)
    fclose(file)
    #expect(try run.wait().status == 0)
    #expect(try instance.ledger() == ["manual demo b.json", "manual cats a.json"])
  }

  @Test("A file that is written in two goes is given up after neither of them")
  func twoGoes() throws {
    let instance = try TestInstance(channels: Self.channels, settings: #"settle: "1s","#)
    try instance.drop("a.json", #"{"channel_"#)
    let run = try instance.start("run", "--spool-only", "--json")
    try waitUntil("the run has begun") { try instance.isLocked("scheduler.lock") }
    _ = try Program("/bin/sh", ["-c", #"sleep 0.3; printf 'id": 7}' >>"$1/a.json""#, "sh"])
      .start([instance.spool], outputIn: instance.directory).wait()
    #expect(try run.wait().json["triggers"]["succeeded"] == 1)
    #expect(try instance.ledger() == ["manual cats a.json"])
  }

  @Test("A placeholder that is filled later is a request for what is filled in")
  func placeholder() throws {
    let instance = try TestInstance(channels: Self.channels, settings: #"settle: "1s","#)
    try instance.drop("demo.json", "")
    try instance.drop("please.json", "")
    let run = try instance.start("run", "--spool-only", "--json")
    try waitUntil("the run has begun") { try instance.isLocked("scheduler.lock") }
    _ = try Program("/bin/sh", ["-c", #"sleep 0.3; echo cats | tee "$1/please.json" >"$1/demo.json""#, "sh"])
      .start([instance.spool], outputIn: instance.directory).wait()
    #expect(try run.wait().json["triggers"]["succeeded"] == 2)
    // One of the two may be closed first.
    #expect(try instance.ledger().sorted() == ["manual cats demo.json", "manual cats please.json"])
  }

  @Test(
    "A submitter's strict umask costs an empty trigger nothing, and any other its turn until it can be read")
  func strictUmask() throws {
    // Only root can write files of another user.
    guard geteuid() == 0 else { return }
    let nobody: UInt32 = 65_534
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["true"] }"#, settings: #"settle: "200ms","#)
    chmod(instance.directory.path, 0o755)
    for folder in ["spool", "library"] {
      let path = try instance.directory.path(folder)
      mkdir(path, 0o755)
      chown(path, nobody, nobody)
    }
    for (name, content) in [("1.json", ""), ("b.json", "1")] {
      try instance.drop(name, content)
      chmod("\(instance.spool)/\(name)", 0o600)
    }
    let program = try UnprivilegedProgram(in: instance)
    let run = try program.start(["run", "--spool-only"]).wait()
    #expect(run.status == 0, "\(run)")
    #expect(
      run.errorLine(
        with: " warning trigger left pending: it may not be read by the batch's user (uid 65534)",
        "chmod a+r '\(instance.spool)/b.json'") != nil)
    #expect(try instance.names("done") == ["1.json"])
    #expect(try instance.pending() == ["b.json"])
    #expect(try program.start(["queue"]).wait().output.contains("unreadable"))
    chmod("\(instance.spool)/b.json", 0o644)
    #expect(try program.start(["run", "--spool-only"]).wait().status == 0)
    #expect(try instance.names("done") == ["1.json", "b.json"])
  }

  @Test("A file that the batch's user may not read expires in its time")
  func unreadableExpires() throws {
    guard geteuid() == 0 else { return }
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["true"] }"#)
    chmod(instance.directory.path, 0o755)
    chown(instance.spool, 65_534, 65_534)
    try instance.drop("b.json", "1", age: .seconds(7_200))
    chmod("\(instance.spool)/b.json", 0o600)
    #expect(try UnprivilegedProgram(in: instance).start(["run", "--spool-only"]).wait().status == 0)
    #expect(try instance.names("expired") == ["b.json"])
  }
}
