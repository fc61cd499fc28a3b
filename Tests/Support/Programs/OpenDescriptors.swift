import Posix

/// The descriptors of this process, for tests that search for leaks.
package enum OpenDescriptors {
  /// The numbers of all open descriptors.
  package static func all() throws -> Set<Int32> {
    // The listing itself opens two descriptors, which are closed again before the second check.
    let names = try Directory(path: "/proc/self/fd").names()
    return Set(
      names.compactMap { $0.text.flatMap { Int32($0) } }.filter { PathQueries.exists("/proc/self/fd/\($0)") })
  }
}
