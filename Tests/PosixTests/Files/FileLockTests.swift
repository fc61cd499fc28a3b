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

  @Test("A second holder is refused while the first holds the lock")
  func exclusive() throws {
    do {
      let lock = try directory.lock("lock")
      #expect(try !directory.isFree("lock"))
      #expect(try lock.isStillInPlace())
    }
    #expect(try directory.isFree("lock"))
  }

  @Test("The lock file is made only for its owner, and stays")
  func file() throws {
    _ = try directory.isFree("lock")
    #expect(try directory.status(of: FileName("lock"))?.mode == 0o600)
    #expect(try scratch.text("lock") == "")
  }

  @Test("Taking the lock does not change the content of the file")
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
    // Others can lock the new file, which is why the holder must check.
    #expect(try directory.isFree("lock"))
    #expect(try !lock.isStillInPlace())
  }

  @Test("A lock whose file was moved away and back is still in place")
  func movedBack() throws {
    let lock = try directory.lock("lock")
    try scratch.rename("lock", "elsewhere")
    #expect(try !lock.isStillInPlace())
    try scratch.rename("elsewhere", "lock")
    #expect(try lock.isStillInPlace())
  }

  @Test("A check whether the lock is held does not keep others out")
  func isHeld() throws {
    let name = FileName("lock")
    #expect(try !FileLock.isHeld(name, in: directory))
    #expect(!scratch.exists("lock"), "the check does not make a file")
    do {
      let lock = try directory.lock("lock")
      #expect(try FileLock.isHeld(name, in: directory))
      #expect(try lock.isStillInPlace())
    }
    #expect(try !FileLock.isHeld(name, in: directory))
    #expect(try directory.isFree("lock"))
  }

  @Test("A symbolic link is not followed to another file, which would then be locked")
  func link() throws {
    try scratch.symbolicLink("lock", to: "elsewhere")
    #expect(throws: SystemError.self) { try directory.isFree("lock") }
    #expect(!scratch.exists("elsewhere"))
  }

  @Test("Exactly one of many threads that try at once gets the lock")
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
    let observed = holders.withLock { $0 }
    #expect(observed.most == 1)
    #expect(observed.times > 0)
  }

  @Test("A file that cannot be locked is named in the error")
  func named() throws {
    let file = FileDescriptor(-1, path: "notes/x")
    let error = #expect(throws: SystemError.self) { try file.lock() }
    #expect(error?.description == "cannot lock 'notes/x': Bad file descriptor")
  }
}
