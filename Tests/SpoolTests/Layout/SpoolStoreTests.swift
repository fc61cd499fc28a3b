import Glibc
import Posix
import Spool
import TestSupport
import Testing

@Suite("The inside of a spool", .alone)
struct SpoolInteriorTests {
  let scratch: TemporaryDirectory

  init() throws { scratch = try TemporaryDirectory() }

  private func store() throws -> SpoolStore { try SpoolStore(SpoolDirectory(path: scratch.path)) }

  @Test("All folders are made only for the batch user, and are opened again later")
  func folders() throws {
    let first = try store()
    #expect(
      try scratch.names()
        == ["cancelled", "channels", "done", "expired", "failed", "logs", "rejected", "running", "state"])
    for folder in SpoolFolder.allCases { #expect(try first[folder].status().mode & 0o027 == 0) }
    #expect(first.setAside.isEmpty)
    let second = try store()
    #expect(second.setAside.isEmpty)
    for folder in SpoolFolder.allCases {
      #expect(try first[folder].status().inode == second[folder].status().inode)
    }
  }

  @Test("A folder that was removed is made again")
  func missing() throws {
    _ = try store()
    #expect(try scratch.open().removeDirectory(FileName("done")))
    _ = try store()
    #expect(scratch.exists("done"))
  }

  @Test(
    "A file or link in the place of a folder or a file is set aside, not followed",
    arguments: ["file", "link"])
  func inTheWay(_ kind: String) throws {
    let elsewhere = try TemporaryDirectory()
    for name in ["done", "history.jsonl", "scheduler.lock"] {
      if kind == "file", name == "done" {
        try scratch.write(name, "mine")
      } else {
        try scratch.symbolicLink(name, to: name == "done" ? elsewhere.path : "\(elsewhere.path)/\(name)")
      }
    }
    let store = try store()
    #expect(store.setAside.count == 3)
    #expect(try PathQueries.status("\(scratch.path)/done")?.kind == .directory)
    #expect(scratch.exists(".foreign-done"))
    try store.open(SpoolDirectory.historyName, .append).write([0x0A])
    #expect(try scratch.text("history.jsonl") == "\n")
    #expect(try elsewhere.names() == [])
  }

  @Test("An entry of another user is set aside under a free name")
  func otherOwner() throws {
    // Only root can make such files.
    try #require(geteuid() == 0)
    for _ in 1...2 {
      try scratch.write("history.jsonl", "forged")
      #expect(chown("\(scratch.path)/history.jsonl", 12_345, 12_345) == 0)
      let store = try store()
      #expect(store.setAside.count == 1)
      #expect(!scratch.exists("history.jsonl"))
    }
    #expect(try scratch.text(".foreign-history.jsonl") == "forged")
    #expect(try scratch.text(".foreign-history.jsonl.2") == "forged")
  }

  @Test("A file with a second name elsewhere is set aside")
  func hardLink() throws {
    try scratch.write("mine", "mine")
    try scratch.hardLink("history.jsonl", to: "mine")
    let store = try store()
    #expect(store.setAside.count == 1)
    #expect(try !store.owns(SpoolDirectory.historyName))
    try store.open(SpoolDirectory.historyName, .append).write([0x0A])
    #expect(try store.owns(SpoolDirectory.historyName))
    #expect(try scratch.text("mine") == "mine")
  }

  @Test("A missing spool is an error that names it")
  func noSpool() throws {
    let error = #expect(throws: SystemError.self) { try SpoolDirectory(path: "\(scratch.path)/none") }
    #expect(error?.description == "cannot open '\(scratch.path)/none': No such file or directory")
  }
}
