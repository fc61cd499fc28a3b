import CLinux

/// A moment in UTC, to the nanosecond, in the years 0000 to 9999: what four digits of a year can say.
package struct Timestamp: Sendable, Hashable, Comparable {
  /// Since 1970-01-01T00:00:00Z, without leap seconds.
  package let seconds: Int64
  /// 0 to 999,999,999.
  package let nanoseconds: Int64

  /// The first and the last second that there are.
  static let range: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

  /// A moment outside of the range becomes its nearest end: a file system may have any 64-bit number as a file's time,
  /// and none may stop a run.
  package init(seconds: Int64, nanoseconds: Int64 = 0) {
    self.seconds = min(max(seconds, Self.range.lowerBound), Self.range.upperBound)
    self.nanoseconds = self.seconds == seconds ? nanoseconds : 0
  }

  /// The wall clock. The corresponding C function is `clock_gettime(CLOCK_REALTIME)`.
  package static func now() -> Timestamp {
    var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
    linux_clock(0, &seconds, &nanoseconds)
    return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
  }

  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }

  package static func - (left: Timestamp, right: Timestamp) -> Duration {
    .seconds(left.seconds - right.seconds) + .nanoseconds(left.nanoseconds - right.nanoseconds)
  }

  package static func + (moment: Timestamp, duration: Duration) -> Timestamp {
    let (seconds, attoseconds) = duration.components
    let sum = moment.nanoseconds + attoseconds / 1_000_000_000
    let carry = sum < 0 ? -1 : sum / 1_000_000_000
    return Timestamp(seconds: moment.seconds + seconds + carry, nanoseconds: sum - carry * 1_000_000_000)
  }
}

/// A moment of the clock that never jumps, for deadlines. The corresponding C function is
/// `clock_gettime(CLOCK_MONOTONIC)`.
package struct MonotonicTime: Sendable, Comparable {
  /// Nanoseconds since some moment before the process began.
  package let nanoseconds: Int64

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

  /// The moment that much later; a duration too long to be added ends at the latest moment there is.
  package static func + (moment: MonotonicTime, duration: Duration) -> MonotonicTime {
    let (sum, overflow) = moment.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
    return MonotonicTime(nanoseconds: overflow ? .max : sum)
  }
}

extension Duration {
  /// The length in nanoseconds; the greatest number where it does not fit (292 years).
  package var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? (seconds < 0 ? .min : .max) : sum
  }

  /// The length in seconds, with a fraction.
  package var secondsWithFraction: Double { Double(wholeNanoseconds) / 1e9 }
}
