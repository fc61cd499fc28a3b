import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Questions about paths, and reading whole small files.
package enum PathQueries {
  package struct Access: OptionSet, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }
    package static let read = Access(rawValue: R_OK)
    package static let write = Access(rawValue: W_OK)
    package static let execute = Access(rawValue: X_OK)
  }

  /// Whether this process has this access to the path. Follows links. The corresponding C function is `faccessat(2)`.
  package static func allows(_ access: Access, _ path: String) -> Bool {
    linux_access(path, access.rawValue) == 0
  }

  /// Whether the path is known to exist. A path that this user may not examine counts as missing; `targetStatus` tells
  /// the two cases apart.
  package static func exists(_ path: String) -> Bool { linux_access(path, F_OK) == 0 }

  /// The status of the entry at a path; nil when it does not exist. Does not follow a symbolic link.
  package static func status(_ path: String) throws(SystemError) -> FileStatus? {
    var status = linux_stat()
    let result = linux_fstatat(AT_FDCWD, path, &status)
    if result == -ENOENT { return nil }
    _ = try check(result, "examine", path)
    return FileStatus(status)
  }

  /// The status of the file that a path leads to; nil when the file does not exist. Follows links and does not need a
  /// descriptor. The corresponding C function is `stat(2)`.
  ///
  /// - Throws: also when this user may not examine the path: then it is not known whether the file exists.
  package static func targetStatus(_ path: String) throws(SystemError) -> FileStatus? {
    var status = linux_stat()
    let result = linux_stat(path, &status)
    if result == -ENOENT || result == -ENOTDIR { return nil }
    _ = try check(result, "examine", path)
    return FileStatus(status)
  }

  /// The one path that leads to the same file without symbolic links and without `..`. The corresponding C function is
  /// `realpath(3)`.
  package static func resolved(_ path: String) throws(SystemError) -> String {
    var result: UnsafeMutablePointer<CChar>?
    _ = try check(linux_realpath(path, &result), "resolve", path)
    defer { free(result) }
    return result.map { String(cString: $0) } ?? path
  }

  /// Makes a directory unless there is one. The corresponding C function is `mkdir(2)`.
  package static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) {
    let result = linux_mkdirat(AT_FDCWD, path, mode)
    if result != -EEXIST { _ = try check(result, "make directory", path) }
  }

  /// Makes a directory and those above it, where missing. The corresponding C function is `mkdir(2)`.
  package static func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
    var result = linux_mkdirat(AT_FDCWD, path, mode)
    if result == -ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try makeDirectories(String(path[..<slash]), mode: mode)
      result = linux_mkdirat(AT_FDCWD, path, mode)
    }
    if result == -EEXIST { return }
    _ = try check(result, "make directory", path)
  }

  /// The content of a file. Follows links.
  ///
  /// - Throws: also when the file is larger than `limit` bytes.
  package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let number = try check(linux_openat(AT_FDCWD, path, O_RDONLY, 0), "open", path)
    let bytes = try FileDescriptor(number, path: path).readAll(limit: limit + 1)
    if bytes.count > limit { throw SystemError("read", path, .init(EFBIG)) }
    return bytes
  }

  /// The path of a program: `name` itself when it contains a `/`, otherwise the first match along `path` (in the form
  /// of PATH). Empty and relative entries are skipped: their meaning depends on the working directory, and a job does
  /// not have the working directory of this process. Nil when there is not a match that may be executed.
  package static func program(_ name: String, searching path: String) -> String? {
    if name.contains("/") { return allows(.execute, name) && isRegular(name) ? name : nil }
    for folder in path.split(separator: ":") where folder.hasPrefix("/") {
      let candidate = "\(folder)/\(name)"
      if allows(.execute, candidate), isRegular(candidate) { return candidate }
    }
    return nil
  }

  private static func isRegular(_ path: String) -> Bool {
    (try? targetStatus(path))?.kind == .regular
  }
}
