import Glibc
import Posix
import TestSupport
import Testing

@Suite("Paths", .alone)
struct PathTests {
  let scratch: TemporaryDirectory

  init() throws { scratch = try TemporaryDirectory() }

  private func program(_ name: String) throws {
    #expect(chmod(try scratch.write(name), 0o755) == 0)
  }

  @Test("A program is the first file in PATH that may be executed")
  func program() throws {
    try program("second/tool")
    try program("third/tool")
    try scratch.write("first/tool")
    try scratch.directory("zeroth")
    try scratch.directory("zeroth/tool")
    let path = ["zeroth", "none", "first", "second", "third"].map { "\(scratch.path)/\($0)" }
      .joined(separator: ":")
    #expect(PathQueries.program("tool", searching: path) == "\(scratch.path)/second/tool")
    #expect(PathQueries.program("other", searching: path) == nil)
    #expect(PathQueries.program("tool", searching: "") == nil)
  }

  @Test("A program with a slash in its name is not searched for")
  func programWithSlash() throws {
    try program("tool")
    try scratch.write("text")
    try scratch.symbolicLink("link", to: "tool")
    #expect(PathQueries.program("\(scratch.path)/tool", searching: "/bin") == "\(scratch.path)/tool")
    #expect(PathQueries.program("\(scratch.path)/link", searching: "") == "\(scratch.path)/link")
    #expect(PathQueries.program("\(scratch.path)/text", searching: "/bin") == nil)
    #expect(PathQueries.program(scratch.path, searching: "/bin") == nil)
    #expect(PathQueries.program("./sh", searching: "/bin") == nil)
  }

  @Test(
    "An empty or relative entry of PATH is skipped, because a job has another working directory",
    arguments: ["", ".", "here", "./here"])
  func relativeEntry(_ entry: String) throws {
    let before = try CurrentProcess.directory()
    defer { _ = chdir(before) }
    try #require(chdir(scratch.path) == 0)
    try program("tool")
    try program("here/tool")
    #expect(PathQueries.program("tool", searching: "/none:\(entry)") == nil)
    #expect(PathQueries.program("tool", searching: "\(entry):\(scratch.path)") == "\(scratch.path)/tool")
  }

  @Test("Directories are made with all their parents, and only once")
  func makeDirectories() throws {
    let path = "\(scratch.path)/a/b/c"
    try PathQueries.makeDirectories(path)
    try PathQueries.makeDirectories(path)
    #expect(try PathQueries.status(path)?.kind == .directory)
    try scratch.write("file")
    let error = #expect(throws: SystemError.self) {
      try PathQueries.makeDirectories("\(scratch.path)/file/x")
    }
    #expect(error?.code == .notDirectory)
  }

  @Test("A file is read completely, or not at all if it is too large", arguments: [(4, true), (3, false)])
  func read(_ limit: Int, _ isRead: Bool) throws {
    let file = try scratch.write("a", "text")
    if isRead {
      #expect(try PathQueries.read(file, limit: limit) == Array("text".utf8))
    } else {
      let error = #expect(throws: SystemError.self) { try PathQueries.read(file, limit: limit) }
      #expect(error?.description == "cannot read '\(file)': File too large")
    }
  }

  @Test("A missing file does not have a status, and a link has its own status")
  func status() throws {
    try scratch.symbolicLink("link", to: "nowhere")
    #expect(try PathQueries.status("\(scratch.path)/none") == nil)
    #expect(try PathQueries.status("\(scratch.path)/link")?.kind == .symbolicLink)
    #expect(!PathQueries.exists("\(scratch.path)/link"))
    #expect(PathQueries.exists(scratch.path))
    #expect(PathQueries.allows([.read, .write, .execute], scratch.path))
    #expect(!PathQueries.allows(.execute, try scratch.write("text")))
  }

  @Test("An empty environment variable counts as not set")
  func environment() {
    setenv("BOBBIN_TEST_VARIABLE", "", 1)
    defer { unsetenv("BOBBIN_TEST_VARIABLE") }
    #expect(CurrentProcess.environment("BOBBIN_TEST_VARIABLE") == nil)
    setenv("BOBBIN_TEST_VARIABLE", "x=y", 1)
    #expect(CurrentProcess.environment("BOBBIN_TEST_VARIABLE") == "x=y")
    #expect(CurrentProcess.environment().contains("BOBBIN_TEST_VARIABLE=x=y"))
    #expect(ProcessTable.startTime(of: CurrentProcess.id) != nil)
    #expect(ProcessTable.startTime(of: .max) == nil)
    #expect(ProcessTable.bootIdentifier().utf8.count == 36)
    #expect(ProcessTable.namespaceIdentifier().hasPrefix("pid:["))
  }
}
