import CBenchmark
import Posix

extension Workbench {
  /// Drains a new spool of `count` triggers.
  ///
  /// - Returns: the seconds that the drain took.
  func drain(_ count: Int) throws -> Double {
    let instance = try instance()
    try instance.requireRoom(for: count)
    try instance.fill(count)
    try syncDisk()
    let seconds = try instance.drain(count, with: bobbin)
    try discard(instance, of: count)
    try syncDisk()
    return seconds
  }

  /// Starts /bin/true `count` times in a bare loop.
  ///
  /// - Returns: the seconds that the loop took.
  func spawn(_ count: Int) throws -> Double {
    try syncDisk()
    return try seconds(bare_spawn_loop(Int32(count)), "start /bin/true")
  }

  /// Converts the result of a bare loop, in nanoseconds or as a negated errno, to seconds.
  func seconds(_ result: Int64, _ what: String) throws -> Double {
    if result < 0 { throw SystemError(what, nil, .init(Int32(-result))) }
    return Double(result) / 1e9
  }
}
