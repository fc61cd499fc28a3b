import Posix
import Spool
import TestSupport
import Testing

@Suite("Owners of claims", .serialized, .alone)
struct OwnerNameTests {
  let current = ProcessIdentity.current()

  @Test("An owner is one process, identified by boot, namespace, id and start time")
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
    "A name that does not belong to an owner is refused",
    arguments: [
      "", "a", "a-1-2", "a-1-2-3-4", "a-1-x-3", "a-1-2-x", "a-1--3", "a-1-+2-3", "a-1-02-3", "a-1-2-03",
      "a-1-2-3 ", "a-1-99999999999-3", "a-1-2--3",
    ])
  func refused(_ name: String) { #expect(ProcessIdentity(FileName(name)) == nil) }

  @Test("A name that is not valid UTF-8 does not belong to an owner")
  func invalid() { #expect(ProcessIdentity(FileName(bytes: [0xFF] + Array("-1-2-3".utf8))) == nil) }

  @Test("An owner is alive as long as its process is")
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

  @Test("A process that got the id of an earlier owner is another owner")
  func reused() throws {
    let start = try #require(ProcessTable.startTime(of: CurrentProcess.id))
    #expect(
      try ProcessIdentity.process(CurrentProcess.id, startTime: start).isAlive(asSeenBy: current) == true)
    #expect(
      try ProcessIdentity.process(CurrentProcess.id, startTime: start - 1).isAlive(asSeenBy: current) == false
    )
  }

  @Test("An owner of another boot or namespace is not judged by its process id")
  func elsewhere() throws {
    let parts = current.folder.description.split(separator: "-").map(String.init)
    for (boot, namespace, start) in [
      ("0123456789ab", "1", parts[3]), (parts[0], "1", parts[3]), ("", "", parts[3]),
      ("0123456789ab", parts[1], "1"), ("", parts[1], "1"),
    ] {
      let owner = try ProcessIdentity.named("\(boot)-\(namespace)-\(parts[2])-\(start)")
      #expect(owner.isAlive(asSeenBy: current) == nil)
    }
  }

  @Test(
    "A process that is there lives, also if it knows the boot by another name, as a unit in a container may")
  func otherBootName() throws {
    let parts = current.folder.description.split(separator: "-").map(String.init)
    for boot in ["0123456789ab", ""] {
      let owner = try ProcessIdentity.named("\(boot)-\(parts[1])-\(parts[2])-\(parts[3])")
      #expect(owner.isAlive(asSeenBy: current) == true)
    }
  }
}
