package import Posix

/// Locks for tests. `#expect` and `#require` cannot take values that cannot be copied, such as locks.
extension Directory {
  /// Takes a lock that must be free.
  package func lock(_ name: String) throws -> FileLock {
    guard let lock = try FileLock.tryAcquire(FileName(name), in: self) else {
      throw Failure("the lock of \(name) is not free")
    }
    return lock
  }

  /// Whether the lock of a file can be taken; it is released at once.
  package func isFree(_ name: String) throws -> Bool {
    switch try FileLock.tryAcquire(FileName(name), in: self) {
    case .some: true
    case .none: false
    }
  }
}
