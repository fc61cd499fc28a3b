import Posix
import Spool
import TestSupport
import Testing

@Suite("ClaimFolder of dead processes", .serialized, .alone)
struct AbandonedClaimsTests {
  let spool: TestSpool
  let observer = ProcessIdentity.current()
  let dead: ProcessIdentity

  init() throws {
    spool = try TestSpool()
    // This process, had it begun earlier: an id that was given out again.
    let began = try #require(ProcessTable.startTime(of: CurrentProcess.id))
    dead = try .process(CurrentProcess.id, startTime: began - 1)
  }

  private var running: Directory { spool.store[.running] }

  private func look(isForRecovery: Bool = false) throws -> AbandonedClaims {
    try AbandonedClaims(in: running, observer: observer, isForRecovery: isForRecovery)
  }

  /// Puts a claim where an owner has its own, whoever that is.
  private func leave(_ file: String, owner: ProcessIdentity) throws {
    try spool.scratch.write("running/\(owner.folder)/\(file)", "7")
  }

  @Test("Nothing is abandoned in an empty spool")
  func empty() throws {
    let found = try look()
    #expect(found.claims.isEmpty && found.foreign.isEmpty)
  }

  @Test("What a dead process left is found, in the order of its triggers")
  func found() throws {
    for file in ["3.1.b.json", "1.2.a.json", "2.expired.c.json", "10.1.a.json"] {
      try leave(file, owner: dead)
    }
    let other = try ProcessIdentity.process(CurrentProcess.id, startTime: 1)
    try leave("4.1.aa.json", owner: other)
    let found = try look()
    #expect(
      found.claims.map(\.file.description) == [
        "1.2.a.json", "10.1.a.json", "4.1.aa.json", "3.1.b.json", "2.expired.c.json",
      ])
    #expect(found.claims.map(\.name.state) == [.attempt(2), .attempt(1), .attempt(1), .attempt(1), .expired])
    #expect(found.foreign.isEmpty)
  }

  @Test("What a living process claimed is left alone, even if it holds no lock")
  func living() throws {
    let scratch = try TemporaryDirectory()
    let lock = try scratch.open().lock("lock")
    let child = try Script.start("echo started; exec sleep 600", inheriting: lock)
    _ = try Script.line(from: child)
    let owner = try ProcessIdentity.process(
      child.id, startTime: #require(ProcessTable.startTime(of: child.id)))
    try leave("1.1.7.json", owner: owner)
    #expect(try look().claims.isEmpty)
    child.signalGroup(Signals.kill)
    _ = try Script.reap(child.id)
    #expect(try look().claims.map(\.file) == [FileName("1.1.7.json")])
  }

  @Test("Its own claims are not abandoned")
  func own() throws {
    try leave("1.1.7.json", owner: observer)
    #expect(try look().claims.isEmpty)
  }

  @Test("A process that cannot be seen from here lives as long as its folder is locked")
  func elsewhere() throws {
    let owner = try ProcessIdentity.named("0123456789ab-4026531836-77-5")
    do {
      let claims = ClaimFolder(spool.store, owner: owner)
      try spool.scratch.write("7.json", "7")
      _ = try claims.claim(FileName("7.json"), id: 1, state: .attempt(1))
      #expect(try look().claims.isEmpty)
      withExtendedLifetime(claims) {}
    }
    #expect(try look().claims.map(\.file) == [FileName("1.1.7.json")])
  }

  @Test("What is not Bobbin's is reported and left where it is")
  func foreign() throws {
    try spool.scratch.write("running/notes.txt")
    try spool.scratch.directory("running/folder")
    try leave("notes.txt", owner: dead)
    try leave("05.1.7.json", owner: dead)
    try leave("1.1.7.json", owner: dead)
    let found = try look(isForRecovery: true)
    #expect(found.claims.map(\.file) == [FileName("1.1.7.json")])
    let folder = "\(spool.scratch.path)/running"
    #expect(
      found.foreign.sorted()
        == [
          "\(folder)/\(dead.folder)/05.1.7.json", "\(folder)/\(dead.folder)/notes.txt", "\(folder)/folder",
          "\(folder)/notes.txt",
        ].sorted())
    #expect(found.foreign.allSatisfy { PathQueries.exists($0) })
  }

  @Test("What has an owner's name and is not a folder is not Bobbin's either", arguments: ["file", "link"])
  func noFolder(_ kind: String) throws {
    let name = "running/0123456789ab-1-77-5"
    if kind == "file" {
      try spool.scratch.write(name)
    } else {
      try spool.scratch.symbolicLink(name, to: "/tmp")
    }
    try leave("1.1.7.json", owner: dead)
    let found = try look(isForRecovery: true)
    #expect(found.claims.count == 1)
    #expect(found.foreign == ["\(spool.scratch.path)/\(name)"])
  }

  @Test("A folder in which nothing was left is removed by who recovers", arguments: [true, false])
  func emptyFolder(_ isForRecovery: Bool) throws {
    try spool.scratch.directory("running/\(dead.folder)")
    try leave("1.1.7.json", owner: try .process(CurrentProcess.id, startTime: 1))
    _ = try look(isForRecovery: isForRecovery)
    #expect(spool.scratch.exists("running/\(dead.folder)") == !isForRecovery)
    #expect(try spool.scratch.names(in: "running").count == (isForRecovery ? 1 : 2))
  }

  @Test(
    "A caller that only reports takes no lock of a dead process' folder, so that a run passes over nothing")
  func lookTakesNoLock() throws {
    try leave("1.1.7.json", owner: dead)
    let seen = try look()
    #expect(seen.claims.count == 1)
    // The claims above live on, and with them their folder.
    let recovering = try look(isForRecovery: true)
    #expect(recovering.claims.count == 1)
    #expect(try look(isForRecovery: true).claims.isEmpty)
    #expect(try look().claims.count == 1)
    withExtendedLifetime((seen, recovering)) {}
  }

  @Test("Folders that have become empty are removed, others not")
  func removeEmptyFolders() throws {
    let other = try ProcessIdentity.process(CurrentProcess.id, startTime: 1)
    for owner in [dead, other] { try leave("1.1.7.json", owner: owner) }
    let found = try look()
    #expect(found.claims.count == 2)
    #expect(try running.directory(dead.folder).remove(FileName("1.1.7.json")))
    try AbandonedClaims.removeEmptyFolders(of: found.claims, in: spool.store)
    #expect(try spool.scratch.names(in: "running") == [other.folder.description])
  }
}
