import Posix
import Spool
import TestSupport
import Testing

@Suite("Owners of claims", .serialized, .alone)
struct OwnerNameTests {
  let current = ProcessIdentity.current()

  @Test("Owners of claims are one process each, by boot, namespace, id and start time")
  func identity() throws {
    let parts = current.folder.description.split(separator: "-")
    #expect(parts.count == 4)
    #expect(parts[0].utf8.count == 12)
    #expect(parts[2] == "\(CurrentProcess.id)")
    #expect(current.process == CurrentProcess.id)
    #expect(ProcessIdentity(current.folder) == current)
    #expect(ProcessIdentity.current() == current)
  }

  @Test(
    "Owners of claims are never taken from other names",
    arguments: [
      "", "a", "a-1-2", "a-1-2-3-4", "a-1-x-3", "a-1-2-x", "a-1--3", "a-1-+2-3", "a-1-02-3", "a-1-2-03",
      "a-1-2-3 ", "a-1-99999999999-3", "a-1-2--3",
    ])
  func refused(_ name: String) { #expect(ProcessIdentity(FileName(name)) == nil) }

  @Test("A name that is not valid UTF-8 is not a owner's")
  func invalid() { #expect(ProcessIdentity(FileName(bytes: [0xFF] + Array("-1-2-3".utf8))) == nil) }

  @Test("Owners of claims live as long as their process does")
  func liveness() throws {
    #expect(current.isAlive(asSeenBy: current) == true)
    let scratch = try TemporaryDirectory()
    let lock = try scratch.open().lock("lock")
    let child = try Script.start("echo started; exec sleep 600", inheriting: lock)
    _ = try Script.line(from: child)
    let owner = try ProcessIdentity.process(
      child.id, startTime: #require(ProcessTable.startTime(of: child.id)))
    #expect(owner.isAlive(asSeenBy: current) == true)
    child.signalGroup(Signals.kill)
    _ = try Script.reap(child.id)
    #expect(owner.isAlive(asSeenBy: current) == false)
  }

  @Test("An id that was given out again is not the old owner")
  func reused() throws {
    let start = try #require(ProcessTable.startTime(of: CurrentProcess.id))
    #expect(
      try ProcessIdentity.process(CurrentProcess.id, startTime: start).isAlive(asSeenBy: current) == true)
    #expect(
      try ProcessIdentity.process(CurrentProcess.id, startTime: start - 1).isAlive(asSeenBy: current) == false
    )
  }

  @Test("Of another boot or another namespace are not judged by ids that mean nothing there")
  func elsewhere() throws {
    let parts = current.folder.description.split(separator: "-").map(String.init)
    for (boot, namespace) in [("0123456789ab", parts[1]), (parts[0], "1"), ("", parts[1]), ("", "")] {
      let owner = try ProcessIdentity.named("\(boot)-\(namespace)-\(parts[2])-\(parts[3])")
      #expect(owner.isAlive(asSeenBy: current) == nil)
    }
  }
}
