import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An open directory. All names are looked up relative to its descriptor, so that nobody can redirect an operation by
/// replacing a directory on the way, and never through a symbolic link. Only the path that opens the first directory
/// may lead through links, and its last name may itself be a link, as `/var/spool` may be.
package final class Directory: Sendable {
  /// The path as it was opened, for messages.
  package let path: String
  let number: Int32

  /// Opens a directory by its path. The corresponding C function is `open(2)`.
  package init(path: String) throws(SystemError) {
    number = try check(linux_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0), "open", path)
    self.path = path
  }

  /// Opens a directory only for looking up names: enough where this user may add files but not list them (a drop box).
  /// The directory cannot be listed or synced. The corresponding C function is `open(2)` with `O_PATH`.
  package init(pathForLookup path: String) throws(SystemError) {
    number = try check(linux_openat(AT_FDCWD, path, linux_path_only | O_DIRECTORY, 0), "open", path)
    self.path = path
  }

  private init(number: Int32, path: String) {
    self.number = number
    self.path = path
  }

  deinit { _ = linux_close(number) }

  /// The path of an entry, for messages.
  package func path(of name: FileName) -> String { "\(path)/\(name)" }

  // MARK: Entries

  /// Opens a directory in this directory. Never follows a symbolic link.
  package func directory(_ name: FileName) throws(SystemError) -> Directory {
    let number = try check(
      name.withCString { linux_openat(self.number, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) }, "open",
      path(of: name))
    return Directory(number: number, path: path(of: name))
  }

  /// Makes a directory unless the name exists. The corresponding C function is `mkdirat(2)`.
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
    /// Reading; `open` returns at once even for a FIFO that nobody writes to.
    case read
    /// Reading and writing.
    case modify
    /// Reading and writing, made if missing.
    case update
    /// Appending to and reading a file, which is made if it is missing.
    case append
    /// Writing a file that must not exist yet.
    case createNew
  }

  /// Opens a file in the directory, never through a symbolic link. The corresponding C function is `openat(2)` with
  /// `O_NOFOLLOW`.
  package func open(_ name: FileName, _ access: Access, mode: UInt32 = 0o640) throws(SystemError)
    -> FileDescriptor
  {
    let flags =
      switch access {
      case .read: O_RDONLY | O_NONBLOCK
      case .modify: O_RDWR | O_NONBLOCK
      case .update: O_RDWR | O_CREAT | O_NONBLOCK
      case .append: O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK
      case .createNew: O_WRONLY | O_CREAT | O_EXCL
      }
    let result = name.withCString { linux_openat(number, $0, flags | O_NOFOLLOW, mode) }
    return FileDescriptor(try check(result, "open", path(of: name)), path: path(of: name))
  }

  /// Like `open`, but returns nil for a missing name: another process may just have moved the file.
  package func openIfPresent(_ name: FileName, _ access: Access = .read) throws(SystemError)
    -> FileDescriptor?
  {
    do throws(SystemError) { return try open(name, access) } catch {
      if error.code == .noSuchFile { return nil }
      throw error
    }
  }

  /// The status of the entry with this name; nil when it does not exist. Does not follow a symbolic link. The
  /// corresponding C function is `fstatat(2)`.
  package func status(of name: FileName) throws(SystemError) -> FileStatus? {
    var status = linux_stat()
    let result = name.withCString { linux_fstatat(number, $0, &status) }
    if result == -ENOENT { return nil }
    _ = try check(result, "examine", path(of: name))
    return FileStatus(status)
  }

  /// The status of the directory itself.
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

  /// Whether files can be moved from this directory to another: they cannot be moved across file systems, nor across
  /// mounts of one file system. The corresponding C function is `statx(2)` with `STATX_MNT_ID`; before Linux 5.8,
  /// another mount of the same file system is not noticed here.
  package func isOnMount(of other: Directory) throws(SystemError) -> Bool {
    try boundary(to: other) == nil
  }

  /// What keeps files from being moved between two directories.
  package enum Boundary: Sendable {
    case mount
    /// One mount shows both, as two subvolumes of one Btrfs.
    case subvolume
  }

  /// What keeps files from being moved from this directory to another one: see `isOnMount`.
  package func boundary(to other: Directory) throws(SystemError) -> Boundary? {
    let isOneDevice = try status().device == other.status().device
    var (here, there): (UInt64, UInt64) = (0, 0)
    guard linux_mount_id(number, &here) == 0, linux_mount_id(other.number, &there) == 0 else {
      return isOneDevice ? nil : .mount
    }
    if here != there { return .mount }
    return isOneDevice ? nil : .subvolume
  }

  /// Renames an entry to `.foreign-<name>`, so that its name is free.
  ///
  /// - Returns: the new name; nil when the entry does not exist.
  package func setAside(_ name: FileName) throws(SystemError) -> FileName? {
    try moveNumbered(name, to: self, as: FileName(bytes: Array(".foreign-".utf8) + name.bytes))
  }

  /// Moves an entry, replacing nothing: where the new name is taken, `.2`, `.3`, … is appended. A name that becomes longer
  /// than the file system allows loses its end. (How long that is, is tried: `f_namemax` of `statvfs(3)` is not always
  /// true.)
  ///
  /// - Returns: the name that the entry has now; nil when there was no entry.
  package func moveNumbered(
    _ name: FileName, to target: Directory, as newName: FileName
  ) throws(SystemError) -> FileName? {
    var number = 1
    var limit = Int.max
    while true {
      let suffix = number == 1 ? [] : Array(".\(number)".utf8)
      let numbered = FileName(bytes: Array(newName.bytes.prefix(limit - suffix.count)) + suffix)
      do throws(SystemError) {
        switch try move(name, to: target, as: numbered) {
        case .moved: return numbered
        case .vanished: return nil
        case .taken: number += 1
        }
      } catch {
        guard error.code == .nameTooLong, numbered.bytes.count > 32 else { throw error }
        limit = numbered.bytes.count - 1
      }
    }
  }

  /// The outcome of a move.
  package enum Move: Sendable {
    case moved
    /// The source does not exist: another process moved it first. This is a normal outcome.
    case vanished
    /// The target name is taken, and a move does not replace an entry.
    case taken
  }

  /// Moves an entry, replacing nothing. The corresponding C function is `renameat2(2)` with `RENAME_NOREPLACE`.
  ///
  /// RACE: when several processes move one source, exactly one of them gets `moved`.
  ///
  /// - Parameter isTargetOurs: whether nobody else makes names in the target directory, so that nothing can be replaced
  ///   there even on a file system that does not know the flag.
  package func move(
    _ name: FileName, to target: Directory, as newName: FileName, isTargetOurs: Bool = false
  ) throws(SystemError) -> Move {
    let result = name.withCString { old in
      newName.withCString { new in linux_renameat_noreplace(number, old, target.number, new) }
    }
    // EPERM may be the file's own; without the flag it is refused then as well. Or a container of an old host refuses the
    // whole call.
    if result == -EINVAL || result == -ENOSYS || result == -EPERM {
      return isTargetOurs
        ? try moveAfterCheck(name, to: target, as: newName)
        : try moveWithoutFlag(name, to: target, as: newName)
    }
    return try outcome(of: result, name)
  }

  /// For file systems, kernels and containers without `RENAME_NOREPLACE`. A hard link refuses a taken name as atomically; what
  /// cannot be linked (a directory) is moved after a check.
  private func moveWithoutFlag(
    _ name: FileName, to target: Directory, as newName: FileName
  ) throws(SystemError) -> Move {
    let linked = name.withCString { old in
      newName.withCString { new in linux_linkat(number, old, target.number, new) }
    }
    if linked == 0 {
      // RACE: the process that removes the old name has the file; the other process removes its link again. (A file
      // that is put under the old name right now would be removed, so this is not for names that others may use.)
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

  /// Renames within the directory, replacing the entry that has the new name. The corresponding C function is
  /// `renameat(2)`.
  package func replace(_ newName: FileName, with name: FileName) throws(SystemError) {
    let result = name.withCString { old in
      newName.withCString { new in linux_renameat(number, old, number, new) }
    }
    _ = try check(result, "move", path(of: name))
  }

  /// Removes the name of a file, never a directory. The corresponding C function is `unlinkat(2)`.
  ///
  /// - Returns: false when the name does not exist.
  @discardableResult
  package func remove(_ name: FileName) throws(SystemError) -> Bool {
    let result = name.withCString { linux_unlinkat(number, $0, 0) }
    if result == -ENOENT { return false }
    _ = try check(result, "remove", path(of: name))
    return true
  }

  /// Removes an empty directory in this directory. The corresponding C function is `unlinkat(2)` with `AT_REMOVEDIR`.
  ///
  /// - Returns: false when the name does not exist or the directory is not empty.
  @discardableResult
  package func removeDirectory(_ name: FileName) throws(SystemError) -> Bool {
    let result = name.withCString { linux_unlinkat(number, $0, AT_REMOVEDIR) }
    if result == -ENOENT || result == -ENOTEMPTY || result == -EEXIST { return false }
    _ = try check(result, "remove", path(of: name))
    return true
  }

  /// Returns once the names in the directory are on the disk. The corresponding C function is `fsync(2)`.
  package func sync() throws(SystemError) { _ = try check(linux_fsync(number), "sync", path) }

  /// Returns once everything on the directory's file system is on the disk, whoever wrote it. The corresponding C
  /// function is `syncfs(2)`.
  ///
  /// - Returns: false, with nothing done, before Linux 5.8, where `syncfs(2)` does not report a failed write.
  package func syncFileSystem() throws(SystemError) -> Bool {
    // Linux 5.8 introduced both: mount ids, and a syncfs that reports errors.
    var mount: UInt64 = 0
    guard linux_mount_id(number, &mount) == 0 else { return false }
    _ = try check(linux_syncfs(number), "sync the file system of", path)
    return true
  }

  /// The space that this user has on its file system. The corresponding C function is `statvfs(3)`.
  ///
  /// - Parameter needed: in bytes; passed on.
  package func space(needed: Int64) throws(SystemError) -> SystemError.Space {
    var (bytes, files): (Int64, Int64) = (0, 0)
    _ = try check(linux_free_space(number, &bytes, &files), "examine the file system of", path)
    return SystemError.Space(free: bytes, needed: needed, hasFiles: files != 0)
  }

  /// Locks the directory itself, until the directory is closed. Does not wait. The corresponding C function is
  /// `flock(2)`.
  ///
  /// - Returns: false when another process holds the lock.
  package func tryLock() throws(SystemError) -> Bool {
    let result = linux_flock(number, LOCK_EX | LOCK_NB)
    if result == -EWOULDBLOCK { return false }
    _ = try check(result, "lock", path)
    return true
  }
}
