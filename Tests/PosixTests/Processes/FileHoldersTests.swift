import Posix
import TestSupport
import Testing

extension Processes {
  @Suite("The processes that hold a lock", .serialized)
  struct FileHoldersTests {
    @Test("A holder is a process that inherited the lock, and no process that opened the file by itself")
    func ids() throws {
      let scratch = try TemporaryDirectory()
      let directory = try scratch.open()
      let lock = try directory.lock("lock")
      let file = try #require(try directory.status(of: FileName("lock")))
      let holders = FileHolders(of: file)
      #expect(try holders.ids() == [])
      let job = try Script.start("echo started; exec sleep 600", inheriting: lock)
      let other = try Script.start(
        "exec 9<'\(scratch.path)/lock'; echo started; exec sleep 600",
        inheriting: try directory.lock("other"))
      for line in [try Script.line(from: job), try Script.line(from: other)] { #expect(line == "started") }
      #expect(try holders.ids() == [job.id])
      // The parent is this process, which waits for nobody here.
      #expect(!holders.haveLivingParent([job.id]))
      let age = try #require(ProcessTable.age(of: job.id))
      #expect(age >= .zero && age < .seconds(600))

      holders.signal(try holders.ids(), Signals.kill)
      #expect(try Script.reap(job.id) == .signal(Signals.kill))
      #expect(try holders.ids() == [])
      #expect(ProcessTable.age(of: job.id) == nil)
      other.signalGroup(Signals.kill)
      #expect(try Script.reap(other.id) == .signal(Signals.kill))
    }
  }
}
