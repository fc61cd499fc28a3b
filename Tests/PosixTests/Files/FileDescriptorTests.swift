import Posix
import TestSupport
import Testing

@Suite("Open files", .alone)
struct DescriptorTests {
  let scratch: TemporaryDirectory
  let directory: Directory

  init() throws {
    scratch = try TemporaryDirectory()
    directory = try scratch.open()
  }

  @Test(
    "A read stops at the limit or at the end of the file",
    arguments: [(0, ""), (1, "a"), (5, "abcde"), (6, "abcdef"), (99, "abcdef")])
  func readAll(_ limit: Int, _ expected: String) throws {
    try scratch.write("a", "abcdef")
    let file = try directory.open(FileName("a"), .read)
    #expect(try file.readAll(limit: limit) == Array(expected.utf8))
    // It reads from the beginning, even after an earlier read.
    #expect(try file.readAll(limit: limit) == Array(expected.utf8))
  }

  @Test(
    "A read can begin in the middle",
    arguments: [(Int64(2), 3, "cde"), (4, 9, "ef"), (6, 1, ""), (100, 5, "")])
  func readAt(_ offset: Int64, _ count: Int, _ expected: String) throws {
    try scratch.write("a", "abcdef")
    #expect(
      try directory.open(FileName("a"), .read).read(at: offset, count: count) == Array(expected.utf8))
  }

  @Test("A shorter content replaces a longer one completely")
  func replaceContent() throws {
    try scratch.write("a", "a long text")
    let file = try directory.open(FileName("a"), .update)
    try file.replaceContent(with: Array("short".utf8))
    #expect(try scratch.text("a") == "short")
    try file.overwriteStart(with: Array("SH".utf8))
    #expect(try scratch.text("a") == "SHort")
  }

  @Test("Text is appended at the end, even if another writer has appended meanwhile")
  func append() throws {
    let first = try directory.open(FileName("a"), .append)
    let second = try directory.open(FileName("a"), .append)
    try first.write(Array("1".utf8))
    try second.write(Array("2".utf8))
    try first.write(Array("3".utf8)[...])
    try first.write(AnyCollection(Array("4".utf8)))
    try first.write([])
    #expect(try scratch.text("a") == "1234")
  }

  @Test("A new file has the requested mode, and can be synced")
  func mode() throws {
    let file = try directory.open(FileName("a"), .createNew, mode: 0o600)
    #expect(try file.status().mode == 0o600)
    try file.setMode(0o644)
    #expect(try file.status().mode == 0o644)
    file.startWriteback()
    #expect(throws: Never.self) {
      try file.syncData()
      try file.sync()
      try file.syncFileSystem()
    }
  }

  @Test("A writer is detected only while it has the file open")
  func lease() throws {
    try scratch.write("a", "text")
    let reader = try directory.open(FileName("a"), .read)
    #expect(reader.isOpenForWriting() == false)
    do {
      let writer = try directory.open(FileName("a"), .update)
      #expect(reader.isOpenForWriting() == true)
      try writer.write([UInt8(ascii: "x")])
    }
    #expect(reader.isOpenForWriting() == false)
    // The lease was released: opening for writing does not wait for its holder.
    #expect(throws: Never.self) { _ = try directory.open(FileName("a"), .update).number }
  }

  @Test("The writers of a file that cannot have a lease are unknown")
  func noLease() throws {
    #expect(try Directory(path: "/dev").open(FileName("null"), .read).isOpenForWriting() == nil)
  }

  @Test("A descriptor is closed when its owner is destroyed")
  func close() throws {
    let before = try OpenDescriptors.all()
    do {
      let file = try directory.open(FileName("a"), .update)
      #expect(try OpenDescriptors.all() == before.union([file.number]))
    }
    #expect(try OpenDescriptors.all() == before)
  }

  @Test("The lock for appending keeps others out until it is released")
  func lock() throws {
    let file = try directory.open(FileName("a"), .append)
    try file.lock()
    #expect(try FileLock.isHeld(FileName("a"), in: directory))
    try file.unlock()
    #expect(try !FileLock.isHeld(FileName("a"), in: directory))
  }
}
