import Posix
import Spool
import TestSupport
import Testing

@testable import Batch

@Suite("The watcher of the spool", .alone)
struct SpoolWatcherTests {
  @Test("A watcher scans the spool every 30 seconds, whatever the time of the folder says")
  func scansAnyway() throws {
    let instance = try TestInstance()
    let opened = try instance.opened()
    // A folder whose time does not change (mergerfs, sshfs), and has not changed for long.
    let folder = try opened.spool.root.status()
    let uptime = Monitor(MonotonicTime.now())
    var watcher = try SpoolWatcher(
      opened,
      sources: .init(
        uptime: { uptime.withLock { $0 } }, time: { folder.changed + .seconds(60) }, folder: { folder }))
    #expect(try watcher.poll())
    try instance.drop("a.json")
    for _ in 1...29 {
      uptime.withLock { $0 = $0 + .seconds(1) }
      #expect(try watcher.poll())
    }
    #expect(try instance.pending() == ["a.json"])
    uptime.withLock { $0 = $0 + .seconds(2) }
    #expect(try watcher.poll())
    #expect(try instance.pending() == [])
    #expect(try instance.names("done") == ["a.json"])
  }

  @Test("A trigger that every run has to leave pending is reported once, and taken when nothing keeps it")
  func reportsOnce() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let lines = Monitor<[String]>([])
    let opened = try instance.opened { line in lines.withLock { $0.append(line) } }
    func count(_ text: String) -> Int { lines.withLock { $0.count { $0.contains(text) } } }
    let uptime = Monitor(MonotonicTime.now())
    var watcher = try SpoolWatcher(opened, sources: .init(uptime: { uptime.withLock { $0 } }))
    func pollLater() throws {
      _ = try watcher.poll()
      uptime.withLock { $0 = $0 + .seconds(31) }
    }
    do {
      guard let lock = try FileLock.tryAcquire(FileName("1.lock"), in: opened.openStore()[.channels]) else {
        throw Failure("the lock is not free")
      }
      for _ in 1...3 { try pollLater() }
      let isHeld = try lock.isStillInPlace()
      #expect(isHeld)
    }
    #expect(count("run started") == 3)
    #expect(count("left pending") == 1)
    try pollLater()
    #expect(try instance.names("done") == ["a.json"])
  }

  @Test("A watcher scans the spool at once when the time of the folder has changed")
  func scansAfterChange() throws {
    let instance = try TestInstance()
    var watcher = try SpoolWatcher(instance.opened())
    #expect(try watcher.poll())
    try instance.drop("a.json")
    #expect(try watcher.poll())
    #expect(try instance.names("done") == ["a.json"])
  }
}
