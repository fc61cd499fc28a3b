import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An open directory. All names are looked up relative to its descriptor, so that nobody can redirect an operation by
/// exchanging a directory on the way, and never through a symbolic link. Only the path by which it is itself opened
/// first may lead through links, the last name too: `/var/spool` may be one.
package final class Directory: Sendable {
  /// As it was opened; for messages.
  package let path: String
  let number: Int32

  /// Opens a directory by its path. The corresponding C function is `open(2)`.
  package init(path: String) throws(SystemError) {
    number = try check(linux_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0), "open", path)
    self.path = path
  }

  /// Opens a directory for looking up names only: enough where one may add files but not list them (a drop box). Its
  /// entries cannot be read and it cannot be synced. The corresponding C function is `open(2)` with `O_PATH`.
  package init(pathForLookup path: String) throws(SystemError) {
    number = try check(linux_openat(AT_FDCWD, path, linux_path_only | O_DIRECTORY, 0), "open", path)
    self.path = path
  }

  private init(number: Int32, path: String) {
    self.number = number
    self.path = path
  }

  deinit { _ = linux_close(number) }

  /// The path of one of its entries, for messages.
  package func path(of name: FileName) -> String { "\(path)/\(name)" }

  // MARK: Entries

  /// Opens a directory in it. Never follows a symbolic link.
  package func directory(_ name: FileName) throws(SystemError) -> Directory {
    let number = try check(
      name.withCString { linux_openat(self.number, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) }, "open",
      path(of: name))
    return Directory(number: number, path: path(of: name))
  }

  /// Makes a directory unless there is one. The corresponding C function is `mkdirat(2)`.
  ///
  /// - Returns: whether it was made.
  @discardableResult
  package func makeDirectory(_ name: FileName, mode: UInt32) throws(SystemError) -> Bool {
    let result = name.withCString { linux_mkdirat(number, $0, mode) }
    if result == -EEXIST { return false }
    _ = try check(result, "make directory", path(of: name))
    return true
  }

  package enum Access: Sendable {
    /// Reading; returns at once even from a FIFO nobody writes to.
    case read
    /// Reading and writing, made if missing.
    case update
    /// Appending and reading, made if missing.
    case append
    /// Writing a file that must not exist yet.
    case createNew
  }

  /// Opens a file in it, never through a symbolic link. The corresponding C function is `openat(2)` with `O_NOFOLLOW`.
  package func open(_ name: FileName, _ access: Access, mode: UInt32 = 0o640) throws(SystemError)
    -> FileDescriptor
  {
    let flags =
      switch access {
      case .read: O_RDONLY | O_NONBLOCK
      case .update: O_RDWR | O_CREAT | O_NONBLOCK
      case .append: O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK
      case .createNew: O_WRONLY | O_CREAT | O_EXCL
      }
    let result = name.withCString { linux_openat(number, $0, flags | O_NOFOLLOW, mode) }
    return FileDescriptor(try check(result, "open", path(of: name)), path: path(of: name))
  }

  /// As `open`, with nil for a name that is missing: another process may just have moved it.
  package func openIfPresent(_ name: FileName, _ access: Access = .read) throws(SystemError)
    -> FileDescriptor?
  {
    do throws(SystemError) { return try open(name, access) } catch {
      if error.code == .noSuchFile { return nil }
      throw error
    }
  }

  /// What stands under the name, nil when nothing does. Does not follow a symbolic link. The corresponding C function
  /// is `fstatat(2)`.
  package func status(of name: FileName) throws(SystemError) -> FileStatus? {
    var status = linux_stat()
    let result = name.withCString { linux_fstatat(number, $0, &status) }
    if result == -ENOENT { return nil }
    _ = try check(result, "examine", path(of: name))
    return FileStatus(status)
  }

  /// What the directory itself is.
  package func status() throws(SystemError) -> FileStatus {
    var status = linux_stat()
    _ = try check(linux_fstat(number, &status), "examine", path)
    return FileStatus(status)
  }

  /// Gives the directory to another group and sets its mode. The corresponding C functions are `fchown(2)` and
  /// `fchmod(2)`.
  package func set(group: UInt32, mode: UInt32) throws(SystemError) {
    _ = try check(linux_fchown(number, .max, group), "change the group of", path)
    _ = try check(linux_fchmod(number, mode), "change the mode of", path)
  }

  /// Whether files can be moved from this directory to another one: not across file systems, and not across mounts of
  /// one file system either. The corresponding C function is `statx(2)` with `STATX_MNT_ID`; before Linux 5.8 a mount
  /// of the same file system goes unnoticed here.
  package func isOnMount(of other: Directory) throws(SystemError) -> Bool {
    if try status().device != other.status().device { return false }
    var (here, there): (UInt64, UInt64) = (0, 0)
    guard linux_mount_id(number, &here) == 0, linux_mount_id(other.number, &there) == 0 else { return true }
    return here == there
  }

  /// Puts what has a name aside, to `.foreign-<name>`, so that the name is free.
  ///
  /// - Returns: the new name; nil when there was nothing.
  package func setAside(_ name: FileName) throws(SystemError) -> FileName? {
    var number = 1
    while true {
      let other = FileName(".foreign-\(name)" + (number == 1 ? "" : ".\(number)"))
      switch try move(name, to: self, as: other) {
      case .moved: return other
      case .vanished: return nil
      case .taken: number += 1
      }
    }
  }

  /// The outcome of a move.
  package enum Move: Sendable {
    case moved
    /// The source is not there: somebody else moved it first. A normal outcome.
    case vanished
    /// The target name is taken, and the move was not to replace it.
    case taken
  }

  /// Moves an entry, replacing nothing. The corresponding C function is `renameat2(2)` with `RENAME_NOREPLACE`.
  ///
  /// RACE: of several processes that move one source, exactly one gets `moved`.
  ///
  /// - Parameter isTargetOurs: nobody else makes names in the target directory, so that nothing can be replaced there on
  ///   file systems that don't know the flag, either.
  package func move(
    _ name: FileName, to target: Directory, as newName: FileName, isTargetOurs: Bool = false
  ) throws(SystemError) -> Move {
    let result = name.withCString { old in
      newName.withCString { new in linux_renameat_noreplace(number, old, target.number, new) }
    }
    if result == -EINVAL || result == -ENOSYS {
      return isTargetOurs
        ? try moveAfterCheck(name, to: target, as: newName)
        : try moveWithoutFlag(name, to: target, as: newName)
    }
    return try outcome(of: result, name)
  }

  /// For file systems and kernels without `RENAME_NOREPLACE`. A hard link refuses a taken name as atomically; what
  /// cannot be linked (a directory) is moved after a check.
  private func moveWithoutFlag(
    _ name: FileName, to target: Directory, as newName: FileName
  ) throws(SystemError) -> Move {
    let linked = name.withCString { old in
      newName.withCString { new in linux_linkat(number, old, target.number, new) }
    }
    if linked == 0 {
      // RACE: whoever removes the old name has the file. The other one takes its link back. (A file that was put under
      // the old name right now would be removed, so this is not for names that others may use.)
      let removed = name.withCString { linux_unlinkat(number, $0, 0) }
      if removed == 0 { return .moved }
      _ = newName.withCString { linux_unlinkat(target.number, $0, 0) }
      return try outcome(of: removed, name)
    }
    if linked == -EEXIST || linked == -ENOENT { return try outcome(of: linked, name) }
    return try moveAfterCheck(name, to: target, as: newName)
  }

  private func moveAfterCheck(
    _ name: FileName, to target: Directory, as newName: FileName
  ) throws(SystemError) -> Move {
    if try target.status(of: newName) != nil { return .taken }
    let renamed = name.withCString { old in
      newName.withCString { new in linux_renameat(number, old, target.number, new) }
    }
    return try outcome(of: renamed, name)
  }

  private func outcome(of result: Int32, _ name: FileName) throws(SystemError) -> Move {
    switch result {
    case -ENOENT: return .vanished
    case -EEXIST: return .taken
    default:
      _ = try check(result, "move", path(of: name))
      return .moved
    }
  }

  /// Renames within the directory, replacing what has the new name. The corresponding C function is `renameat(2)`.
  package func replace(_ newName: FileName, with name: FileName) throws(SystemError) {
    let result = name.withCString { old in
      newName.withCString { new in linux_renameat(number, old, number, new) }
    }
    _ = try check(result, "move", path(of: name))
  }

  /// Removes a file's name, never a directory. The corresponding C function is `unlinkat(2)`.
  ///
  /// - Returns: false when it was not there.
  @discardableResult
  package func remove(_ name: FileName) throws(SystemError) -> Bool {
    let result = name.withCString { linux_unlinkat(number, $0, 0) }
    if result == -ENOENT { return false }
    _ = try check(result, "remove", path(of: name))
    return true
  }

  /// Removes an empty directory in it. The corresponding C function is `unlinkat(2)` with `AT_REMOVEDIR`.
  ///
  /// - Returns: false when it was not there or is not empty.
  @discardableResult
  package func removeDirectory(_ name: FileName) throws(SystemError) -> Bool {
    let result = name.withCString { linux_unlinkat(number, $0, AT_REMOVEDIR) }
    if result == -ENOENT || result == -ENOTEMPTY || result == -EEXIST { return false }
    _ = try check(result, "remove", path(of: name))
    return true
  }

  /// Returns once the names in it are on the disk. The corresponding C function is `fsync(2)`.
  package func sync() throws(SystemError) { _ = try check(linux_fsync(number), "sync", path) }

  /// Returns once everything on its file system is on the disk, whoever wrote it. The corresponding C function is
  /// `syncfs(2)`.
  ///
  /// - Returns: false, with nothing done, before Linux 5.8, where it would not tell of a failure to write.
  package func syncFileSystem() throws(SystemError) -> Bool {
    // Both came with 5.8: mount ids, and syncfs that reports errors.
    var mount: UInt64 = 0
    guard linux_mount_id(number, &mount) == 0 else { return false }
    _ = try check(linux_syncfs(number), "sync the file system of", path)
    return true
  }

  /// How many bytes this user may still write on its file system, 0 when no further file can be made. The
  /// corresponding C function is `statvfs(3)`.
  package func freeSpace() throws(SystemError) -> Int64 {
    var (bytes, files): (Int64, Int64) = (0, 0)
    _ = try check(linux_free_space(number, &bytes, &files), "examine the file system of", path)
    return files == 0 ? 0 : bytes
  }

  /// A lock on the directory itself, released when the directory is closed. The corresponding C function is `flock(2)`.
  ///
  /// - Returns: false when another process holds it.
  package func tryLock() throws(SystemError) -> Bool {
    let result = linux_flock(number, LOCK_EX | LOCK_NB)
    if result == -EWOULDBLOCK { return false }
    _ = try check(result, "lock", path)
    return true
  }
}
