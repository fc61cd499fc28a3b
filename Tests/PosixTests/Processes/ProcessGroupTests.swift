import Glibc
import Posix
import TestSupport
import Testing

extension Processes {
  @Suite("The descendants and locks of a child process", .serialized)
  struct ProcessGroupTests {
    let scratch: TemporaryDirectory
    let directory: Directory

    init() throws {
      scratch = try TemporaryDirectory()
      directory = try scratch.open()
    }

    @Test("A lock is held as long as any process has it open, even after its first holder has ended")
    func inheritedLock() throws {
      let child: RunningScript
      do {
        let lock = try directory.lock("lock")
        child = try Script.start("echo started; exec sleep 600", inheriting: lock)
        #expect(try Script.line(from: child) == "started")
      }
      #expect(try FileLock.isHeld(FileName("lock"), in: directory))
      #expect(try !directory.isFree("lock"))
      child.signalGroup(Signals.kill)
      #expect(try Script.reap(child.id) == .signal(SIGKILL))
      #expect(try directory.isFree("lock"))
    }

    @Test("A lock is held by a process that the child left behind")
    func lockOfOrphan() throws {
      let child: RunningScript
      do {
        let lock = try directory.lock("lock")
        child = try Script.start("sleep 600 & echo $!; exit 0", inheriting: lock)
      }
      _ = try Script.line(from: child)
      #expect(try Script.reap(child.id) == .status(0))
      #expect(try FileLock.isHeld(FileName("lock"), in: directory))
      child.signalGroup(Signals.kill)
      try waitUntil("the lock is free") { try directory.isFree("lock") }
    }

    @Test("A process that has not been reaped yet counts as ended")
    func zombie() throws {
      let lock = try directory.lock("lock")
      let child = try Script.start("read -r line || exit 0", inheriting: lock)
      try waitUntil("it has ended") { ProcessTable.startTime(of: child.id) == nil }
      // Signal 0 still finds the process.
      #expect(kill(child.id, 0) == 0)
      #expect(try Script.reap(child.id) == .status(0))
    }

    @Test("A signal reaches the whole group")
    func wholeGroup() throws {
      let lock = try directory.lock("lock")
      let child = try Script.start("sleep 600 & echo $!; wait", inheriting: lock)
      let other = try #require(Int32(Script.line(from: child)))
      child.signalGroup(Signals.terminate)
      #expect(try Script.finish(child).exit == .signal(SIGTERM))
      try waitUntil("the other process of the group is gone") {
        _ = try Children.reap()
        return ProcessTable.startTime(of: other) == nil
      }
    }

    @Test("A signal to a group that is gone is not an error")
    func goneGroup() throws {
      let lock = try directory.lock("lock")
      let child = try Script.start("exit 0", inheriting: lock)
      #expect(try Script.reap(child.id) == .status(0))
      child.signalGroup(Signals.kill)
    }

    @Test("A running child is not reaped, and a process without children has nothing to reap")
    func reap() throws {
      try waitUntil("what earlier tests have left has ended") { try Children.reap() == .childless }
      let lock = try directory.lock("lock")
      let child = try Script.start("echo started; exec sleep 600", inheriting: lock)
      #expect(try Script.line(from: child) == "started")
      #expect(try Children.reap() == Children.Reaped.none)
      child.signalGroup(Signals.kill)
      _ = try Script.reap(child.id)
      #expect(try Children.reap() == .childless)
    }

    @Test("Orphans are adopted, found and ended, even in another session")
    func orphans() throws {
      try Children.adoptOrphans()
      let lock = try directory.lock("lock")
      let child = try Script.start("setsid sleep 600 >/dev/null 2>&1 & echo $!", inheriting: lock)
      let id = try #require(Int32(Script.line(from: child)))
      #expect(try Script.finish(child).exit == .status(0))
      try waitUntil("it is a child of this process") {
        try ProcessTable.descendants(of: getpid()).contains(id)
      }
      try Children.signalDescendants(Signals.kill)
      #expect(try Script.reap(id) == .signal(SIGKILL))
      #expect(try Children.reap() == .childless)
    }

    @Test("A wait ends when a child ends")
    func endOfChild() throws {
      try Signals.handle()
      try Signals.handle()
      let lock = try directory.lock("lock")
      let child = try Script.start("exit 0", inheriting: lock)
      let deadline = MonotonicTime.now() + Script.patience
      var reaped = try Children.reap()
      while reaped == .none, MonotonicTime.now() < deadline {
        // Without the signal, only the deadline would end this wait.
        try Poll.wait(until: deadline)
        reaped = try Children.reap()
      }
      #expect(reaped == .exited(child.id, .status(0)))
      #expect(MonotonicTime.now() < deadline)
    }

    @Test("Descendants are all processes that a process started, nearest first, whatever their names")
    func descendants() throws {
      let lock = try directory.lock("lock")
      // Such a name would mislead a parser that searches for the first parenthesis or space.
      let sleep = "\(scratch.path)/a) S 1 (b"
      let child = try Script.start(
        "cp /bin/sleep '\(sleep)'; sh -c '\"\(sleep)\" 600 & echo $!; wait' & wait", inheriting: lock)
      let grandchild = try #require(Int32(Script.line(from: child)))
      try waitUntil("the program has its name") {
        try PathQueries.read("/proc/\(grandchild)/comm", limit: 99) == Array("a) S 1 (b\n".utf8)
      }
      let descendants = try ProcessTable.descendants(of: child.id)
      #expect(descendants.count == 2)
      #expect(descendants.last == grandchild)
      #expect(try ProcessTable.descendants(of: getpid()).first == child.id)
      let began = try #require(ProcessTable.startTime(of: grandchild))
      #expect(try began >= #require(ProcessTable.startTime(of: child.id)))
      #expect(ProcessTable.startTime(of: grandchild) == began)
      child.signalGroup(Signals.kill)
      _ = try Script.finish(child)
      try waitUntil("its process is gone") {
        _ = try Children.reap()
        return ProcessTable.startTime(of: grandchild) == nil
      }
    }
  }
}
