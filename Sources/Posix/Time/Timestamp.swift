import CLinux

/// A time in UTC, to the nanosecond, in the years 0000 to 9999: the years that four digits can express.
package struct Timestamp: Sendable, Hashable, Comparable {
  /// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
  package let seconds: Int64
  /// Nanoseconds since that second began, 0 to 999,999,999.
  package let nanoseconds: Int64

  /// The first and the last second that a timestamp can have.
  static let range: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

  /// A time outside the range becomes the nearest end of the range: a file system may have any 64-bit number as a
  /// file's time, and such a number must not stop a run.
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

  package static func + (time: Timestamp, duration: Duration) -> Timestamp {
    let (seconds, attoseconds) = duration.components
    let sum = time.nanoseconds + attoseconds / 1_000_000_000
    let carry = sum < 0 ? -1 : sum / 1_000_000_000
    return Timestamp(seconds: time.seconds + seconds + carry, nanoseconds: sum - carry * 1_000_000_000)
  }
}
