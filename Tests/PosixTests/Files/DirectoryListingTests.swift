import Posix
import TestSupport
import Testing

@Suite("Listing a directory", .alone)
struct DirectoryEntriesTests {
  let scratch: TemporaryDirectory
  let directory: Directory

  init() throws {
    scratch = try TemporaryDirectory()
    directory = try scratch.open()
  }

  @Test("Each of 5,000 entries is listed once, in more than one system call")
  func many() throws {
    // The names are long, so that 5,000 of them fill the buffer several times.
    let names = (0..<5_000).map { FileName("\($0)-" + String(repeating: "x", count: 60)) }
    for name in names { _ = try directory.open(name, .createNew).number }
    #expect(try directory.names().sorted() == names.sorted())
  }

  @Test("The listing of an empty directory is empty and does not contain . and ..")
  func empty() throws { #expect(try directory.names() == []) }

  @Test("Names that begin with a full stop are listed")
  func dots() throws {
    for name in [".a", "..a", "...", ".\u{1}"] { try scratch.write(FileName(name)) }
    #expect(try directory.names().sorted().map(\.description) == [".\u{1}", "...", "..a", ".a"])
  }

  @Test(
    "Names are listed as their bytes",
    arguments: [[0xFF], [0xC3, 0x28], [0x0A], [0xED, 0xA0, 0x80], [0x20]])
  func bytes(_ bytes: [UInt8]) throws {
    try scratch.write(FileName(bytes: bytes))
    #expect(try directory.names() == [FileName(bytes: bytes)])
    #expect(try directory.remove(FileName(bytes: bytes)))
  }

  @Test("Two Unicode forms of a letter are two files")
  func normalForms() throws {
    try scratch.write(FileName("e\u{301}"), bytes: [1])
    try scratch.write(FileName("\u{E9}"), bytes: [2])
    #expect(try directory.names().count == 2)
    #expect(try directory.open(FileName("\u{E9}"), .read).readAll(limit: 9) == [2])
  }

  @Test("Two readers do not share a position")
  func readers() throws {
    try scratch.write("a")
    #expect(try directory.names().count == 1)
    #expect(try directory.names().count == 1)
  }

  @Test("A directory that cannot be read is an error, and is not taken for empty")
  func failure() throws {
    try scratch.directory("gone")
    let gone = try directory.directory(FileName("gone"))
    #expect(try directory.removeDirectory(FileName("gone")))
    let error = #expect(throws: SystemError.self) { try gone.forEachName { _ in } }
    #expect(error?.subject == .path("\(scratch.path)/gone"))
    #expect(error?.code == .noSuchFile)
  }
}
