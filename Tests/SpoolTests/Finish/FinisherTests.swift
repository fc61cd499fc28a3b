import Glibc
import Posix
import Spool
import TestSupport
import Testing

@Suite("The end of a claim", .alone)
struct FinisherTests {
  let spool: TestSpool
  let claims: ClaimFolder
  let finisher: Finisher

  init() throws {
    spool = try TestSpool()
    claims = ClaimFolder(spool.store)
    finisher = Finisher(spool.store)
  }

  private func claim(_ name: String, id: Int64, _ text: String = "7") throws -> Claim {
    try spool.scratch.write(name, text)
    return try #require(try claims.claim(FileName(name), id: id, state: .attempt(1)))
  }

  private func stillRunning() throws -> [String] {
    try spool.scratch.names(in: "running/\(claims.owner)")
  }

  @Test("A result has the trigger's own name, and the claim is removed")
  func results() throws {
    try finisher.finish([
      (try claim("a.json", id: 1), .result(.done, Array("A\n".utf8))),
      (try claim("b.json", id: 2), .result(.failed, Array("B\n".utf8))),
    ])
    #expect(try spool.scratch.text("done/a.json") == "A\n")
    #expect(try spool.scratch.text("failed/b.json") == "B\n")
    #expect(try stillRunning() == [])
    // No temporary file remains.
    #expect(try spool.store[.done].names().count == 1)
    #expect(try spool.store[.failed].names().count == 1)
  }

  @Test("A newer result replaces an older one")
  func replace() throws {
    for number in 1...3 {
      try finisher.finish([(try claim("a.json", id: Int64(number)), .result(.done, Array("\(number)".utf8)))])
    }
    #expect(try spool.scratch.names(in: "done") == ["a.json"])
    #expect(try spool.scratch.text("done/a.json") == "3")
  }

  @Test("The last of several results with the same name remains")
  func order() throws {
    let endings = try (1...5).map { number in
      (try claim("a.json", id: Int64(number)), Disposition.result(.done, Array("\(number)".utf8)))
    }
    try finisher.finish(endings)
    #expect(try spool.scratch.text("done/a.json") == "5")
    #expect(try stillRunning() == [])
  }

  @Test("Many results are published at once, and their files are closed")
  func many() throws {
    let endings = try (1...150).map { number in
      (try claim("\(number).json", id: Int64(number)), Disposition.result(.done, Array("\(number)".utf8)))
    }
    let before = try OpenDescriptors.all()
    try finisher.finish(endings)
    #expect(try OpenDescriptors.all() == before)
    #expect(try spool.store[.done].names().count == 150)
    #expect(try (1...150).allSatisfy { try spool.scratch.text("done/\($0).json") == "\($0)" })
    #expect(try stillRunning() == [])
  }

  @Test(
    "A trigger that was not run is moved itself", arguments: [SpoolFolder.expired, .rejected, .cancelled])
  func moved(_ folder: SpoolFolder) throws {
    try finisher.finish([(try claim("a.json", id: 1, "as it was"), .moved(folder))])
    #expect(try spool.scratch.text("\(folder.rawValue)/a.json") == "as it was")
    #expect(try stillRunning() == [])
  }

  @Test("A number is appended to a name that is taken")
  func numbered() throws {
    for number in 1...4 {
      try finisher.finish([(try claim("a.json", id: Int64(number), "\(number)"), .moved(.expired))])
    }
    #expect(try spool.scratch.names(in: "expired") == ["a.json", "a.json.2", "a.json.3", "a.json.4"])
    #expect(try spool.scratch.text("expired/a.json") == "1")
    #expect(try spool.scratch.text("expired/a.json.4") == "4")
    // The lowest free number is used, even if a file was removed by hand.
    try spool.scratch.remove("expired/a.json.2")
    try finisher.finish([(try claim("a.json", id: 5, "5"), .moved(.expired))])
    #expect(try spool.scratch.text("expired/a.json.2") == "5")
  }

  @Test("A name that is too long is cut to leave room for the number")
  func longNames() throws {
    let name = String(repeating: "n", count: TriggerName.lengthLimit - 5) + ".json"
    let long = String(repeating: "m", count: 250) + ".json"
    try spool.scratch.write("rejected/\(String(repeating: "m", count: 244))", "old")
    for number in 1...2 {
      try finisher.finish([(try claim(name, id: Int64(number)), .moved(.rejected))])
      try finisher.finish([(try claim(long, id: Int64(number + 2)), .moved(.rejected))])
    }
    let names = try spool.scratch.names(in: "rejected")
    #expect(names.count == 5)
    #expect(names.contains(name) && names.contains(name + ".2"))
    #expect(names.allSatisfy { $0.utf8.count <= 255 })
    #expect(try stillRunning() == [])
  }

  @Test(
    "An entry of any kind under a trigger's name can be retired",
    arguments: ["directory", "symbolic link", "FIFO"])
  func oddities(_ kind: String) throws {
    switch kind {
    case "directory": try spool.scratch.write("a.json/inside")
    case "FIFO": try spool.scratch.fifo("a.json")
    default: try spool.scratch.symbolicLink("a.json", to: "nowhere")
    }
    let before = try #require(try spool.root.status(of: FileName("a.json")))
    let claim = try #require(try claims.claim(FileName("a.json"), id: 1, state: .rejected))
    try finisher.finish([(claim, .moved(.rejected))])
    #expect(try spool.store[.rejected].status(of: FileName("a.json"))?.inode == before.inode)
    #expect(try stillRunning() == [])
  }

  @Test("A claim that was finished before a crash can be finished again without a change")
  func again() throws {
    let (result, moved) = (try claim("a.json", id: 1), try claim("b.json", id: 2))
    let endings: [(Claim, Disposition)] = [
      (result, .result(.done, Array("A".utf8))), (moved, .moved(.expired)),
    ]
    try finisher.finish(endings)
    try finisher.finish(endings)
    #expect(try spool.scratch.text("done/a.json") == "A")
    #expect(try spool.scratch.names(in: "expired") == ["b.json"])
  }

  @Test("The first step does not publish anything, and its files can be removed again")
  func preparation() throws {
    let endings: [(claim: Claim, disposition: Disposition)] = [
      (try claim("a.json", id: 1), .result(.done, Array("A".utf8))),
      (try claim("b.json", id: 2), .moved(.expired)),
    ]
    let preparation = try finisher.prepare(endings)
    #expect(try spool.scratch.names(in: "done") == [])
    #expect(try spool.scratch.names(in: "expired") == [])
    #expect(try stillRunning() == ["1.1.a.json", "2.1.b.json"])
    #expect(try spool.store[.done].names().count == 1)
    finisher.discard(preparation)
    #expect(try spool.store[.done].names().isEmpty)
    try finisher.finish(endings)
    #expect(try spool.scratch.names(in: "done") == ["a.json"])
    #expect(try stillRunning() == [])
  }

  @Test("Temporary files of a dead process with the same id do not block the next one")
  func leftovers() throws {
    let endings = try (1...3).map { number in
      (
        claim: try claim("\(number).json", id: Int64(number)),
        disposition: Disposition.result(.done, Array("\(number)".utf8))
      )
    }
    // A process that dies between the steps leaves its temporary files. The next process may have the same id (in a
    // container both have id 1), finds the same claims, and also counts from the beginning.
    for _ in 1...3 {
      _ = try Finisher(spool.store).prepare(
        endings.map { ($0.claim, .result(.done, Array("of a dead process".utf8))) })
    }
    #expect(try spool.store[.done].names().count == 9)
    try Finisher(spool.store).finish(endings)
    #expect(try spool.scratch.names(in: "done") == ["1.json", "2.json", "3.json"])
    for number in 1...3 { #expect(try spool.scratch.text("done/\(number).json") == "\(number)") }
    #expect(try stillRunning() == [])
  }

  @Test("A folder that was removed meanwhile is an error")
  func folderGone() throws {
    let claim = try claim("a.json", id: 1)
    #expect(try rmdir(spool.scratch.path("expired")) == 0)
    #expect { try finisher.finish([(claim, .moved(.expired))]) } throws: {
      ($0 as? SystemError)?.description.contains("expired': No such file or directory") == true
    }
    #expect(try stillRunning() == ["1.1.a.json"])
  }

  @Test("A directory that has a result's name is set aside with its content")
  func directoryInTheWay() throws {
    try spool.scratch.write("done/b.json/in the way", "kept")
    let endings = try ["a.json", "b.json", "c.json"].enumerated().map { index, name in
      (try claim(name, id: Int64(index + 1)), Disposition.result(.done, Array("x".utf8)))
    }
    try finisher.finish(endings)
    #expect(try stillRunning() == [])
    #expect(try spool.scratch.names(in: "done") == ["a.json", "b.json", "c.json"])
    #expect(try spool.scratch.text("done/b.json") == "x")
    #expect(try spool.scratch.text("done/.foreign-b.json/in the way") == "kept")
  }
}

extension Finisher {
  /// Does both steps, with nothing between them.
  fileprivate func finish(_ endings: [(claim: Claim, disposition: Disposition)]) throws {
    try complete(prepare(endings))
  }
}
