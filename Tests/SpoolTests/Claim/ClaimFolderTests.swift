import Posix
import Spool
import TestSupport
import Testing

@Suite("The claims of a process", .alone)
struct ClaimsTests {
  let spool: TestSpool
  let claims: ClaimFolder

  init() throws {
    spool = try TestSpool()
    claims = ClaimFolder(spool.store)
  }

  private func claim(_ name: String, id: Int64 = 1, state: ClaimState = .attempt(1)) throws -> Claim {
    try #require(try claims.claim(FileName(name), id: id, state: state))
  }

  @Test("A claim moves the trigger into the owner's folder under a name that holds its id and state")
  func claim() throws {
    try spool.scratch.write("7.json", "7")
    let claim = try claim("7.json", id: 12)
    #expect(try spool.pending() == [])
    #expect(try spool.scratch.text("running/\(claims.owner)/12.1.7.json") == "7")
    #expect((claim.id, claim.trigger, claim.file) == (12, FileName("7.json"), FileName("12.1.7.json")))
  }

  @Test("A trigger that has vanished is nil, not a claim or an error")
  func vanished() throws { #expect(try claims.claim(FileName("7.json"), id: 1, state: .attempt(1)) == nil) }

  @Test("The first claim makes the folder, locked and only for the batch")
  func folder() throws {
    #expect(try spool.scratch.names(in: "running") == [])
    try spool.scratch.write("7.json", "7")
    _ = try claim("7.json")
    let folder = try spool.store[.running].directory(claims.owner)
    #expect(try folder.status().mode == 0o750)
    #expect(try !folder.tryLock())
  }

  @Test("A trigger whose name is not valid UTF-8 is claimed and put back like any other")
  func invalidName() throws {
    let name = FileName(bytes: [0xFF] + Array(".json".utf8))
    try spool.scratch.write(name, bytes: [0x37])
    let claim = try #require(try claims.claim(name, id: 1, state: .attempt(1)))
    #expect(try claims.putBack(claim) == nil)
    #expect(try spool.root.status(of: name) != nil)
  }

  @Test("Exactly one of many owners who try gets a trigger")
  func race() throws {
    let rounds = 40
    for round in 0..<rounds { try spool.scratch.write("\(round).json", "7") }
    let winners = Monitor<[Int: [Int]]>([:])
    try inParallel(4) { [store = spool.store] thread in
      guard let owner = ProcessIdentity(FileName("abcdef-1-\(thread + 1)-5")) else { return }
      let claims = ClaimFolder(store, owner: owner)
      for round in 0..<rounds {
        let claim = try? claims.claim(FileName("\(round).json"), id: Int64(thread + 1), state: .attempt(1))
        if claim != nil { winners.withLock { $0[round, default: []].append(thread) } }
      }
    }
    let won = winners.withLock { $0 }
    #expect(won.count == rounds)
    #expect(won.values.allSatisfy { $0.count == 1 })
    #expect(try spool.pending() == [])
  }

  @Test("A claim is put back under the name of its trigger")
  func putBack() throws {
    try spool.scratch.write("7.json", "7")
    #expect(try claims.putBack(try claim("7.json")) == nil)
    #expect(try spool.pending() == ["7.json"])
    #expect(try spool.scratch.text("7.json") == "7")
  }

  @Test("A claim is not put back over a newer trigger")
  func putBackTaken() throws {
    try spool.scratch.write("7.json", "old")
    let claim = try claim("7.json")
    try spool.scratch.write("7.json", "new")
    let waiting = try #require(try claims.putBack(claim))
    #expect(try spool.scratch.text("7.json") == "new")
    // It does not count as an attempt.
    #expect(waiting.name.state == .waiting)
    #expect(try spool.scratch.names(in: "running/\(claims.owner)") == ["1.waiting.7.json"])
    #expect(try claims.putBack(waiting)?.name == waiting.name)
    try spool.scratch.remove("7.json")
    #expect(try claims.putBack(waiting) == nil)
    #expect(try spool.scratch.text("7.json") == "old")
  }

  @Test("A claim that has vanished is not put back, and nothing changes")
  func putBackGone() throws {
    try spool.scratch.write("7.json", "7")
    let claim = try claim("7.json")
    try claim.folder.remove(claim.file)
    #expect(try claims.putBack(claim) == nil)
    #expect(try spool.pending() == [])
  }

  enum Change: String, CaseIterable {
    case none, exchanged, rewritten, appended, linked, gone, openForWriting
  }

  @Test(
    "A claimed file is accepted only if it is the inspected file and nobody can still change it",
    arguments: Change.allCases, ["7", #"{"channel_id":7}"#])
  func isUnchanged(_ change: Change, _ text: String) throws {
    try spool.scratch.write("7.json", text, age: .seconds(60))
    let trigger = try spool.trigger("7.json")
    if change == .exchanged {
      // The same size and age, exchanged before the claim.
      try spool.scratch.write("other", text)
      try spool.scratch.setAge("other", .seconds(60))
      try spool.scratch.rename("other", "7.json")
    }
    let writer = try spool.root.open(FileName("7.json"), .update)
    let claim = try claim("7.json")
    switch change {
    case .rewritten: try writer.overwriteStart(with: Array(text.utf8))
    case .appended: try writer.replaceContent(with: Array((text + " ").utf8))
    case .linked: try spool.scratch.hardLink("second", to: "running/\(claims.owner)/\(claim.file)")
    case .gone: try claim.folder.remove(claim.file)
    case .none, .exchanged, .openForWriting: break
    }
    if change == .openForWriting {
      #expect(try !claims.isUnchanged(claim, since: trigger))
      _ = writer.number
    } else {
      close(writer)
      #expect(try claims.isUnchanged(claim, since: trigger) == (change == .none))
    }
  }

  private func close(_ file: consuming FileDescriptor) {}

  @Test("A claim of a dead process is adopted in another state")
  func adopt() throws {
    let dead = ClaimFolder(spool.store, owner: try .named("abcdef-1-2-3"))
    try spool.scratch.write("7.json", "7")
    let abandoned = try #require(try dead.claim(FileName("7.json"), id: 5, state: .attempt(1)))
    let adopted = try #require(try claims.adopt(abandoned, state: .attempt(2)))
    #expect(try spool.scratch.names(in: "running/\(claims.owner)") == ["5.2.7.json"])
    #expect(try spool.scratch.names(in: "running/abcdef-1-2-3") == [])
    #expect(adopted.name == ClaimName(id: 5, state: .attempt(2), trigger: FileName("7.json")))
    #expect(try claims.adopt(abandoned, state: .attempt(2)) == nil, "somebody else was faster")
  }

  @Test("An adoption does not replace another claim")
  func adoptTaken() throws {
    let dead = ClaimFolder(spool.store, owner: try .named("abcdef-1-2-3"))
    try spool.scratch.write("7.json", "old")
    let abandoned = try #require(try dead.claim(FileName("7.json"), id: 5, state: .attempt(1)))
    try spool.scratch.write("7.json", "new")
    _ = try claim("7.json", id: 5, state: .attempt(2))
    let error = #expect(throws: SystemError.self) { try claims.adopt(abandoned, state: .attempt(2)) }
    #expect(error?.code == .exists)
    #expect(try spool.scratch.text("running/\(claims.owner)/5.2.7.json") == "new")
    #expect(try spool.scratch.text("running/abcdef-1-2-3/5.1.7.json") == "old")
  }

  @Test("The folder is removed when it is empty, and stays otherwise")
  func close() throws {
    try claims.close()
    try spool.scratch.write("7.json", "7")
    let claim = try claim("7.json")
    try claims.sync()
    try claims.close()
    #expect(try spool.scratch.names(in: "running/\(claims.owner)") == ["1.1.7.json"])
    let next = ClaimFolder(spool.store, owner: try .named("abcdef-1-2-3"))
    let adopted = try #require(try next.adopt(claim, state: .attempt(2)))
    #expect(try next.putBack(adopted) == nil)
    try next.close()
    #expect(try spool.scratch.names(in: "running") == [claims.owner.description])
  }
}
