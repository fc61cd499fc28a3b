import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What `/proc` says about processes. See proc(5).
package enum ProcessTable {
  /// The processes that a process has started or adopted. One that ends meanwhile is left out.
  static func children(of parent: Int32) throws(SystemError) -> [Int32] { try table()[parent] ?? [] }

  /// Every process that descends from another one, nearest first. A process that ends meanwhile is left out.
  ///
  /// - Parameter except: children that are left out with all their descendants.
  package static func descendants(
    of ancestor: Int32, except: Set<Int32> = []
  ) throws(SystemError) -> [Int32] {
    let children = try table()
    var found = (children[ancestor] ?? []).filter { !except.contains($0) }
    var index = 0
    while index < found.count {
      found += children[found[index]] ?? []
      index += 1
    }
    return found
  }

  /// The children of every process that has children.
  private static func table() throws(SystemError) -> [Int32: [Int32]] {
    var children: [Int32: [Int32]] = [:]
    for id in try all() {
      // RACE: a process may end after it was listed. It needs no signal then.
      guard let parent = parent(of: id) else { continue }
      children[parent, default: []].append(id)
    }
    return children
  }

  /// The ids of all processes that can be seen.
  static func all() throws(SystemError) -> [Int32] {
    try Directory(path: "/proc").names().compactMap { $0.text.flatMap { Int32($0) } }
  }

  /// The parent of a process; nil when there is no such process.
  static func parent(of id: Int32) -> Int32? {
    guard let fields = statFields(id), fields.count > 1 else { return nil }
    return Int32(fields[1])
  }

  /// For how long a process has been running, to a hundredth of a second; the time in which the machine was suspended
  /// counts. Nil as for `startTime(of:)`.
  package static func age(of id: Int32) -> Duration? {
    guard let start = startTime(of: id) else { return nil }
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    let ticks = max(1, sysconf(Int32(_SC_CLK_TCK)))
    return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec) - .seconds(Int64(start)) / ticks
  }

  /// When a process began, in clock ticks since boot; with the process id it names one process until the next boot.
  /// Nil when there is no such process, or only its exit status is left, for its parent to take (a zombie).
  package static func startTime(of id: Int32) -> UInt64? {
    guard let fields = statFields(id), fields.count > 19, fields[0] != "Z", fields[0] != "X" else {
      return nil
    }
    return UInt64(fields[19])
  }

  /// What is known of a process id.
  package enum State: Sendable, Equatable {
    /// A process began with this id then, in clock ticks since boot, and lives.
    case started(UInt64)
    /// There is no such process, or only its exit status is left.
    case ended
    /// There is such a process, and `/proc` does not show it to this user (`hidepid`, see proc(5)).
    case hidden
  }

  /// RACE: the process may end, and its id may be given to another, as soon as this returns.
  package static func state(of id: Int32) -> State {
    if let time = startTime(of: id) { return .started(time) }
    // Signal 0 is not sent; -EPERM says that the process is somebody else's. One that is there with a status in /proc
    // that is not a living process's has ended.
    return linux_kill(id, 0) == -EPERM && statFields(id) == nil ? .hidden : .ended
  }

  /// The fields of `/proc/<id>/stat` after the program's name, which may itself contain spaces and parentheses.
  private static func statFields(_ id: Int32) -> [Substring]? {
    guard let text = readText("/proc/\(id)/stat"), let close = text.lastIndex(of: ")") else { return nil }
    return text[text.index(after: close)...].split(separator: " ")
  }

  /// The id of this boot of this machine, a UUID; empty where `/proc` does not have it.
  package static func bootIdentifier() -> String {
    (readText("/proc/sys/kernel/random/boot_id") ?? "").filter { $0 != "\n" }
  }

  /// The process id namespace (a container has its own): `pid:[4026531836]`; empty where `/proc` does not have it.
  package static func namespaceIdentifier() -> String {
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
      let count = linux_readlink("/proc/self/ns/pid", buffer.baseAddress, buffer.count)
      return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
    }
  }

  private static func readText(_ path: String) -> String? {
    let number = linux_openat(AT_FDCWD, path, O_RDONLY, 0)
    guard number >= 0 else { return nil }
    let file = FileDescriptor(number, path: path)
    return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
      let count = linux_read(file.number, buffer.baseAddress, buffer.count)
      return count >= 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
  }
}
