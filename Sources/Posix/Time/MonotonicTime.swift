import CLinux
import Text

/// A time of the clock that never jumps, for deadlines. The corresponding C function is
/// `clock_gettime(CLOCK_MONOTONIC)`.
package struct MonotonicTime: Sendable, Comparable {
  /// Nanoseconds since some time before the process began.
  package let nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package static func now() -> MonotonicTime {
    var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
    linux_clock(1, &seconds, &nanoseconds)
    return MonotonicTime(nanoseconds: seconds * 1_000_000_000 + nanoseconds)
  }

  package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  package static func - (left: MonotonicTime, right: MonotonicTime) -> Duration {
    .nanoseconds(left.nanoseconds - right.nanoseconds)
  }

  /// A later time; the latest time that can be expressed when the duration is too long to be added.
  package static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
    let (sum, overflow) = time.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
    return MonotonicTime(nanoseconds: overflow ? .max : sum)
  }
}
