import Posix

/// The descriptors of this process, for tests that look for leaks.
package enum OpenDescriptors {
  /// The numbers of all that are open.
  package static func all() throws -> Set<Int32> {
    // The listing itself needs two; they are gone by the time of the second look.
    let names = try Directory(path: "/proc/self/fd").names()
    return Set(
      names.compactMap { $0.text.flatMap { Int32($0) } }.filter { PathQueries.exists("/proc/self/fd/\($0)") })
  }
}
