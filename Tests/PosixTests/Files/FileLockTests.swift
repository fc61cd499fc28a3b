import Posix
import TestSupport
import Testing

@Suite("File locks", .alone)
struct FileLockTests {
  let scratch: TemporaryDirectory
  let directory: Directory

  init() throws {
    scratch = try TemporaryDirectory()
    directory = try scratch.open()
  }

  @Test("A second holder is refused while the first lives")
  func exclusive() throws {
    do {
      let lock = try directory.lock("lock")
      #expect(try !directory.isFree("lock"))
      #expect(try lock.isStillInPlace())
    }
    #expect(try directory.isFree("lock"))
  }

  @Test("The file is made for its owner alone and stays")
  func file() throws {
    _ = try directory.isFree("lock")
    #expect(try directory.status(of: FileName("lock"))?.mode == 0o600)
    #expect(try scratch.text("lock") == "")
  }

  @Test("Taking it leaves the content alone")
  func content() throws {
    try scratch.write("lock", "note")
    _ = try directory.isFree("lock")
    #expect(try scratch.text("lock") == "note")
  }

  @Test("A holder notices that its file was deleted or replaced", arguments: ["deleted", "replaced"])
  func outOfPlace(_ how: String) throws {
    let lock = try directory.lock("lock")
    if how == "deleted" {
      try scratch.remove("lock")
    } else {
      try scratch.write("other")
      try scratch.rename("other", "lock")
    }
    #expect(try !lock.isStillInPlace())
    // Others can have the new file, which is why the holder must look.
    #expect(try directory.isFree("lock"))
    #expect(try !lock.isStillInPlace())
  }

  @Test("A lock that was moved away and back is in place")
  func movedBack() throws {
    let lock = try directory.lock("lock")
    try scratch.rename("lock", "elsewhere")
    #expect(try !lock.isStillInPlace())
    try scratch.rename("elsewhere", "lock")
    #expect(try lock.isStillInPlace())
  }

  @Test("Whether it is held can be asked without keeping anybody out")
  func isHeld() throws {
    let name = FileName("lock")
    #expect(try !FileLock.isHeld(name, in: directory))
    #expect(!scratch.exists("lock"), "asking makes no file")
    do {
      let lock = try directory.lock("lock")
      #expect(try FileLock.isHeld(name, in: directory))
      #expect(try lock.isStillInPlace())
    }
    #expect(try !FileLock.isHeld(name, in: directory))
    #expect(try directory.isFree("lock"))
  }

  @Test("A symbolic link is not followed to the file that is locked")
  func link() throws {
    try scratch.symbolicLink("lock", to: "elsewhere")
    #expect(throws: SystemError.self) { try directory.isFree("lock") }
    #expect(!scratch.exists("elsewhere"))
  }

  @Test("Of many that try at once, one has it")
  func race() throws {
    let holders = Monitor((now: 0, most: 0, times: 0))
    try inParallel(4) { [directory] _ in
      for _ in 0..<200 {
        guard let lock = try? FileLock.tryAcquire(FileName("lock"), in: directory) else { continue }
        holders.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
          $0.times += 1
        }
        holders.withLock { $0.now -= 1 }
        _ = lock.file.number
      }
    }
    let seen = holders.withLock { $0 }
    #expect(seen.most == 1)
    #expect(seen.times > 0)
  }

  @Test("A file that cannot be locked is named in the error")
  func named() throws {
    let file = FileDescriptor(-1, path: "notes/x")
    let error = #expect(throws: SystemError.self) { try file.lock() }
    #expect(error?.description == "cannot lock 'notes/x': Bad file descriptor")
  }
}
