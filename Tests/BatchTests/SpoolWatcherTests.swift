import Posix
import Spool
import TestSupport
import Testing

@testable import Batch

@Suite("What a watch remembers from poll to poll", .alone)
struct SpoolWatcherTests {
  @Test("A trigger that every run has to leave pending is reported once, and taken when nothing keeps it")
  func reportsOnce() throws {
    let instance = try TestInstance()
    try instance.drop("a.json")
    let lines = Monitor<[String]>([])
    let opened = try instance.opened { line in lines.withLock { $0.append(line) } }
    func count(_ text: String) -> Int { lines.withLock { $0.count { $0.contains(text) } } }
    var watcher = try SpoolWatcher(opened, deferredInterval: .zero)
    do {
      guard let lock = try FileLock.tryAcquire(FileName("1.lock"), in: opened.openStore()[.channels]) else {
        throw Failure("the lock is free")
      }
      for _ in 1...3 { _ = try watcher.poll() }
      let isHeld = try lock.isStillInPlace()
      #expect(isHeld)
    }
    #expect(count("run started") == 3)
    #expect(count("left pending") == 1)
    _ = try watcher.poll()
    #expect(try instance.names("done") == ["a.json"])
  }
}
