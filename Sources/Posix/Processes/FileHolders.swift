import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The processes that inherited a lock (`ChildProcess.start`) and still have its file open under the number under which
/// they got it. A process that opened the file by itself has another number, and is not counted.
///
/// What another user's processes have open cannot be seen, nor what those of another container have. See proc(5).
package struct FileHolders {
  private let file: FileStatus

  /// - Parameter file: the lock file.
  package init(of file: FileStatus) { self.file = file }

  /// Their process ids. One that ends meanwhile may still be among them.
  package func ids() throws(SystemError) -> [Int32] {
    try ProcessTable.all().filter { has($0, "\(ChildProcess.inheritedNumber)") }
  }

  /// Whether the process that started them, or adopted them, has the file open itself.
  package func haveLivingParent(_ ids: [Int32]) -> Bool {
    let parents = Set(ids.compactMap { ProcessTable.parent(of: $0) }).subtracting(ids)
    return parents.contains { parent in
      guard parent != getpid(), let numbers = try? Directory(path: "/proc/\(parent)/fd").names() else {
        return false
      }
      return numbers.contains { has(parent, $0.description) }
    }
  }

  /// Sends them a signal.
  ///
  /// RACE: a process may end, be reaped, and have its id reused between the search and the signal, which would then reach
  /// another process. The kernel allocates ids in sequence, so reuse in this window takes tens of thousands of forks.
  package func signal(_ ids: [Int32], _ signal: Int32) { for id in ids { _ = linux_kill(id, signal) } }

  private func has(_ process: Int32, _ number: String) -> Bool {
    guard let status = try? PathQueries.targetStatus("/proc/\(process)/fd/\(number)") else { return false }
    return status.isSameFile(as: file)
  }
}
