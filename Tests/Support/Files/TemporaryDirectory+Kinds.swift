import Foundation
package import Posix

/// Entries that are not plain files.
extension TemporaryDirectory {
  /// Makes a symbolic link; its target need not exist.
  package func symbolicLink(_ name: String, to target: String) throws {
    try expect(symlink(target, try path(name)), "link", name)
  }

  /// Gives a file a second name.
  package func hardLink(_ name: String, to existing: String) throws {
    try expect(link("\(path)/\(existing)", try path(name)), "link", name)
  }

  package func fifo(_ name: String) throws { try expect(mkfifo(try path(name), 0o644), "make FIFO", name) }

  /// Makes a socket on which nothing listens.
  package func socket(_ name: String) throws {
    try expect(mknod(try path(name), S_IFSOCK | 0o644, 0), "make socket", name)
  }

  package func directory(_ name: String) throws { try expect(mkdir(try path(name), 0o755), "make", name) }

  /// Writes a file with any bytes as its content and its name.
  package func write(_ name: FileName, bytes: [UInt8] = []) throws {
    try open().open(name, .createNew).write(bytes)
  }

  /// Makes a file of zeros that does not need space on the disk.
  package func sparse(_ name: String, size: Int64) throws {
    try open().open(FileName(name), .createNew).truncate(to: size)
  }

  /// Removes a file.
  package func remove(_ name: String) throws { try expect(unlink("\(path)/\(name)"), "remove", name) }

  /// Renames a file within the directory, and replaces a file that has the new name.
  package func rename(_ old: String, _ new: String) throws {
    try expect(Foundation.rename("\(path)/\(old)", "\(path)/\(new)"), "rename", old)
  }

  private func expect(_ result: Int32, _ operation: String, _ name: String) throws {
    if result != 0 { throw SystemError(operation, name, .init(errno)) }
  }
}
