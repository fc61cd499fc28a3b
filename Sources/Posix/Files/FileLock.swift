import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A held lock on a file. It is released when its owner goes out of scope, or by the kernel when the last process that
/// has the descriptor ends. The corresponding C function is `flock(2)`.
package struct FileLock: ~Copyable, Sendable {
  package let file: FileDescriptor
  private let directory: Directory
  private let name: FileName
  /// The status of the locked file itself, whichever file has its name later.
  private let status: FileStatus

  /// Takes the lock of a file in a directory, without waiting. The file is made if it is missing, is never unlinked,
  /// and is close-on-exec.
  ///
  /// - Returns: nil when somebody else holds the lock. This is a normal outcome.
  package static func tryAcquire(
    _ name: FileName, in directory: Directory, mode: UInt32 = 0o600
  ) throws(SystemError) -> FileLock? {
    // RACE: somebody may delete or replace the file between our open and our lock; the lock would then be on a file
    // that nobody else finds. A check afterwards detects this.
    for _ in 0..<8 {
      let file = try directory.open(name, .update, mode: mode)
      let result = linux_flock(file.number, LOCK_EX | LOCK_NB)
      if result == -EWOULDBLOCK { return nil }
      _ = try check(result, "lock", directory.path(of: name))
      let status = try file.status()
      let lock = FileLock(file: file, directory: directory, name: name, status: status)
      if try lock.isStillInPlace() { return lock }
    }
    throw SystemError("lock", directory.path(of: name), .noSuchFile)
  }

  private init(file: consuming FileDescriptor, directory: Directory, name: FileName, status: FileStatus) {
    self.file = file
    self.directory = directory
    self.name = name
    self.status = status
  }

  /// Whether the name still leads to the locked file. If not, others can lock the new file at the same time.
  package func isStillInPlace() throws(SystemError) -> Bool {
    try directory.status(of: name)?.isSameFile(as: status) ?? false
  }

  /// Takes the lock again, because a process that shares the lock may have released it (`flock -u`).
  ///
  /// - Returns: false when somebody else has the lock now.
  package func renew() throws(SystemError) -> Bool {
    let result = linux_flock(file.number, LOCK_EX | LOCK_NB)
    if result == -EWOULDBLOCK { return false }
    _ = try check(result, "lock", directory.path(of: name))
    return true
  }

  /// Whether somebody holds the lock of a file now. Takes a shared lock for an instant, which a process that takes the
  /// lock must not mistake for a holder. A file that does not exist is not locked.
  package static func isHeld(_ name: FileName, in directory: Directory) throws(SystemError) -> Bool {
    guard let file = try directory.openIfPresent(name) else { return false }
    let result = linux_flock(file.number, LOCK_SH | LOCK_NB)
    if result == -EWOULDBLOCK { return true }
    _ = try check(result, "lock", directory.path(of: name))
    return false
  }
}

extension FileDescriptor {
  /// Waits for the file's lock, which processes hold while they append. The lock is released with the descriptor or by
  /// `unlock()`. The corresponding C function is `flock(2)`.
  package func lock() throws(SystemError) { _ = try check(linux_flock(number, LOCK_EX), "lock", path) }

  package func unlock() throws(SystemError) { _ = try check(linux_flock(number, LOCK_UN), "unlock", path) }
}
