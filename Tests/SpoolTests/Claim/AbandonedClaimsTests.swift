import Posix
import Spool
import TestSupport
import Testing

@Suite("Abandoned claims", .serialized, .alone)
struct AbandonedClaimsTests {
  let spool: TestSpool
  let observer = ProcessIdentity.current()
  let dead: ProcessIdentity

  init() throws {
    spool = try TestSpool()
    // An earlier process that had the id of this process.
    let began = try #require(ProcessTable.startTime(of: CurrentProcess.id))
    dead = try .process(CurrentProcess.id, startTime: began - 1)
  }

  private var running: Directory { spool.store[.running] }

  private func scan(isForRecovery: Bool = false) throws -> AbandonedClaims {
    try AbandonedClaims(in: running, observer: observer, isForRecovery: isForRecovery)
  }

  /// Puts a claim into the folder of an owner.
  private func leave(_ file: String, owner: ProcessIdentity) throws {
    try spool.scratch.write("running/\(owner.folder)/\(file)", "7")
  }

  @Test("An empty spool does not have abandoned claims")
  func empty() throws {
    let abandoned = try scan()
    #expect(abandoned.claims.isEmpty && abandoned.foreign.isEmpty)
  }

  @Test("The claims of a dead process are found, in the order of their triggers")
  func found() throws {
    for file in ["3.1.b.json", "1.2.a.json", "2.expired.c.json", "10.1.a.json"] {
      try leave(file, owner: dead)
    }
    let other = try ProcessIdentity.process(CurrentProcess.id, startTime: 1)
    try leave("4.1.aa.json", owner: other)
    let abandoned = try scan()
    #expect(
      abandoned.claims.map(\.file.description) == [
        "1.2.a.json", "10.1.a.json", "4.1.aa.json", "3.1.b.json", "2.expired.c.json",
      ])
    #expect(
      abandoned.claims.map(\.name.state) == [.attempt(2), .attempt(1), .attempt(1), .attempt(1), .expired])
    #expect(abandoned.foreign.isEmpty)
  }

  @Test("The claim of a living process is left alone, even if the process does not hold a lock")
  func living() throws {
    let scratch = try TemporaryDirectory()
    let lock = try scratch.open().lock("lock")
    let child = try Script.start("echo started; exec sleep 600", inheriting: lock)
    _ = try Script.line(from: child)
    let owner = try ProcessIdentity.process(
      child.id, startTime: #require(ProcessTable.startTime(of: child.id)))
    try leave("1.1.7.json", owner: owner)
    #expect(try scan().claims.isEmpty)
    child.signalGroup(Signals.kill)
    _ = try Script.reap(child.id)
    #expect(try scan().claims.map(\.file) == [FileName("1.1.7.json")])
  }

  @Test("The claims of the scanning process are not abandoned")
  func own() throws {
    try leave("1.1.7.json", owner: observer)
    #expect(try scan().claims.isEmpty)
  }

  @Test("A process in another namespace counts as alive while its folder is locked")
  func elsewhere() throws {
    let owner = try ProcessIdentity.named("0123456789ab-4026531836-77-5")
    do {
      let claims = ClaimFolder(spool.store, owner: owner)
      try spool.scratch.write("7.json", "7")
      _ = try claims.claim(FileName("7.json"), id: 1, state: .attempt(1))
      #expect(try scan().claims.isEmpty)
      withExtendedLifetime(claims) {}
    }
    #expect(try scan().claims.map(\.file) == [FileName("1.1.7.json")])
  }

  @Test("A foreign file is reported and left where it is")
  func foreign() throws {
    try spool.scratch.write("running/notes.txt")
    try spool.scratch.directory("running/folder")
    try leave("notes.txt", owner: dead)
    try leave("05.1.7.json", owner: dead)
    try leave("1.1.7.json", owner: dead)
    let abandoned = try scan(isForRecovery: true)
    #expect(abandoned.claims.map(\.file) == [FileName("1.1.7.json")])
    let folder = "\(spool.scratch.path)/running"
    #expect(
      abandoned.foreign.sorted()
        == [
          "\(folder)/\(dead.folder)/05.1.7.json", "\(folder)/\(dead.folder)/notes.txt", "\(folder)/folder",
          "\(folder)/notes.txt",
        ].sorted())
    #expect(abandoned.foreign.allSatisfy { PathQueries.exists($0) })
  }

  @Test("An entry that has an owner's name and is not a folder is foreign", arguments: ["file", "link"])
  func noFolder(_ kind: String) throws {
    let name = "running/0123456789ab-1-77-5"
    if kind == "file" {
      try spool.scratch.write(name)
    } else {
      try spool.scratch.symbolicLink(name, to: "/tmp")
    }
    try leave("1.1.7.json", owner: dead)
    let abandoned = try scan(isForRecovery: true)
    #expect(abandoned.claims.count == 1)
    #expect(abandoned.foreign == ["\(spool.scratch.path)/\(name)"])
  }

  @Test("An empty folder of a dead process is removed only by a recovery", arguments: [true, false])
  func emptyFolder(_ isForRecovery: Bool) throws {
    try spool.scratch.directory("running/\(dead.folder)")
    try leave("1.1.7.json", owner: try .process(CurrentProcess.id, startTime: 1))
    _ = try scan(isForRecovery: isForRecovery)
    #expect(spool.scratch.exists("running/\(dead.folder)") == !isForRecovery)
    #expect(try spool.scratch.names(in: "running").count == (isForRecovery ? 1 : 2))
  }

  @Test(
    "A scan that only reports does not lock a dead process's folder, so a run does not miss its claims")
  func scanTakesNoLock() throws {
    try leave("1.1.7.json", owner: dead)
    let reported = try scan()
    #expect(reported.claims.count == 1)
    // The claims above still exist, and so does their folder.
    let recovering = try scan(isForRecovery: true)
    #expect(recovering.claims.count == 1)
    #expect(try scan(isForRecovery: true).claims.isEmpty)
    #expect(try scan().claims.count == 1)
    withExtendedLifetime((reported, recovering)) {}
  }

  @Test("A folder is removed only if it has become empty")
  func removeEmptyFolders() throws {
    let other = try ProcessIdentity.process(CurrentProcess.id, startTime: 1)
    for owner in [dead, other] { try leave("1.1.7.json", owner: owner) }
    let abandoned = try scan()
    #expect(abandoned.claims.count == 2)
    #expect(try running.directory(dead.folder).remove(FileName("1.1.7.json")))
    try AbandonedClaims.removeEmptyFolders(of: abandoned.claims, in: spool.store)
    #expect(try spool.scratch.names(in: "running") == [other.folder.description])
  }
}
