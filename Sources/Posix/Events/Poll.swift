import CLinux
import Text

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Waiting for descriptors, a handled signal or a time, whichever comes first.
package enum Poll {
  /// Waits for two descriptors. The corresponding C function is `ppoll(2)`.
  ///
  /// - Parameters:
  ///   - first: -1 leaves it out.
  ///   - second: -1 leaves it out.
  ///   - until: nil waits for ever.
  /// - Returns: for each descriptor, whether it has something to read or its other side has closed; both are false when
  ///   the time has passed or a signal has arrived.
  package static func wait(
    _ first: Int32, _ second: Int32, until: MonotonicTime?
  ) throws(SystemError) -> (Bool, Bool) {
    let rest = until.map { max(0, ($0 - .now()).wholeNanoseconds) } ?? -1
    var set = (linux_poll(descriptor: first, ready: 0), linux_poll(descriptor: second, ready: 0))
    let result = withUnsafeMutableBytes(of: &set) {
      linux_poll($0.bindMemory(to: linux_poll.self).baseAddress, 2, rest)
    }
    _ = try check(result, "wait", nil)
    return (set.0.ready != 0, set.1.ready != 0)
  }

  /// Waits for a signal or a time only.
  package static func wait(until: MonotonicTime?) throws(SystemError) { _ = try wait(-1, -1, until: until) }
}
