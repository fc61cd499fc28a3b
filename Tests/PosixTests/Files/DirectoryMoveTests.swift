import Posix
import TestSupport
import Testing

@Suite("Moving files without replacing others", .alone)
struct DirectoryMoveTests {
  let scratch: TemporaryDirectory
  let directory: Directory

  init() throws {
    scratch = try TemporaryDirectory()
    directory = try scratch.open()
  }

  @Test("A file moves to another directory under a new name")
  func moved() throws {
    try scratch.write("a", "text")
    try scratch.directory("to")
    let target = try directory.directory(FileName("to"))
    #expect(try directory.move(FileName("a"), to: target, as: FileName("b")) == .moved)
    #expect(!scratch.exists("a"))
    #expect(try scratch.text("to/b") == "text")
  }

  @Test("A file that somebody else moved has vanished, which is not an error")
  func vanished() throws {
    #expect(try directory.move(FileName("a"), to: directory, as: FileName("b")) == .vanished)
  }

  @Test(
    "A move does not replace an existing entry of any kind",
    arguments: ["file", "folder", "dangling link"])
  func taken(by kind: String) throws {
    try scratch.write("a", "new")
    switch kind {
    case "file": try scratch.write("b", "old")
    case "folder": try scratch.directory("b")
    default: try scratch.symbolicLink("b", to: "nowhere")
    }
    let before = try directory.status(of: FileName("b"))
    #expect(try directory.move(FileName("a"), to: directory, as: FileName("b")) == .taken)
    #expect(try scratch.text("a") == "new")
    #expect(try directory.status(of: FileName("b")) == before)
  }

  @Test("A move from one name of a file to another name of it drops neither")
  func hardLinks() throws {
    try scratch.write("a", "text")
    try scratch.hardLink("b", to: "a")
    #expect(try directory.move(FileName("a"), to: directory, as: FileName("b")) == .taken)
    #expect(try scratch.names() == ["a", "b"])
  }

  @Test("A symbolic link is moved, not its target")
  func link() throws {
    try scratch.write("target", "text")
    try scratch.symbolicLink("a", to: "target")
    #expect(try directory.move(FileName("a"), to: directory, as: FileName("b")) == .moved)
    #expect(try directory.status(of: FileName("b"))?.kind == .symbolicLink)
    #expect(try scratch.names() == ["b", "target"])
  }

  @Test("A file whose name is not valid UTF-8 is moved like any other")
  func invalidName() throws {
    let (old, new) = (FileName(bytes: [0xFF, 0xC3]), FileName(bytes: [0x80, 0x0A]))
    try scratch.write(old)
    #expect(try directory.move(old, to: directory, as: new) == .moved)
    #expect(try directory.names() == [new])
  }

  @Test("A move that fails is an error with the name and the errno")
  func impossible() throws {
    try scratch.directory("a")
    let inside = try directory.directory(FileName("a"))
    let error = #expect(throws: SystemError.self) {
      try directory.move(FileName("a"), to: inside, as: FileName("b"))
    }
    #expect(error?.description == "cannot move '\(scratch.path)/a': Invalid argument")
  }

  @Test("Exactly one of many threads that move the same file succeeds")
  func race() throws {
    for round in 0..<50 {
      try scratch.write("a\(round)")
      let outcomes = Monitor<[Directory.Move]>([])
      try inParallel(4) { [directory] thread in
        let target = FileName("b\(round)-\(thread)")
        guard let outcome = try? directory.move(FileName("a\(round)"), to: directory, as: target) else {
          return
        }
        outcomes.withLock { $0.append(outcome) }
      }
      let all = outcomes.withLock { $0 }
      #expect(all.count == 4)
      #expect(all.count { $0 == .moved } == 1)
      #expect(all.count { $0 == .vanished } == 3)
    }
  }
}
