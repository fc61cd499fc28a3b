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
