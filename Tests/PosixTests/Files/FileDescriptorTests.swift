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
    "Reading stops at the limit or the end of the file",
    arguments: [(0, ""), (1, "a"), (5, "abcde"), (6, "abcdef"), (99, "abcdef")])
  func readAll(_ limit: Int, _ expected: String) throws {
    try scratch.write("a", "abcdef")
    let file = try directory.open(FileName("a"), .read)
    #expect(try file.readAll(limit: limit) == Array(expected.utf8))
    // It reads from the beginning, whatever was read before.
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

  @Test("A shorter content leaves nothing of the longer one")
  func replaceContent() throws {
    try scratch.write("a", "a long text")
    let file = try directory.open(FileName("a"), .update)
    try file.replaceContent(with: Array("short".utf8))
    #expect(try scratch.text("a") == "short")
    try file.overwriteStart(with: Array("SH".utf8))
    #expect(try scratch.text("a") == "SHort")
  }

  @Test("Appending goes to the end, whoever else has written meanwhile")
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

  @Test("A new file has the mode that was asked for, and can be synced")
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

  @Test("A writer is seen while it has the file open, and no longer")
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
    // The lease was given back: opening for writing does not wait for its holder.
    #expect(throws: Never.self) { _ = try directory.open(FileName("a"), .update).number }
  }

  @Test("What cannot have a lease is unknown")
  func noLease() throws {
    #expect(try Directory(path: "/dev").open(FileName("null"), .read).isOpenForWriting() == nil)
  }

  @Test("A descriptor is closed when its owner goes")
  func close() throws {
    let before = try OpenDescriptors.all()
    do {
      let file = try directory.open(FileName("a"), .update)
      #expect(try OpenDescriptors.all() == before.union([file.number]))
    }
    #expect(try OpenDescriptors.all() == before)
  }

  @Test("The lock for appending keeps others out until it is given back")
  func lock() throws {
    let file = try directory.open(FileName("a"), .append)
    try file.lock()
    #expect(try FileLock.isHeld(FileName("a"), in: directory))
    try file.unlock()
    #expect(try !FileLock.isHeld(FileName("a"), in: directory))
  }
}
