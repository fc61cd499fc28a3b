import Posix
import TestSupport
import Testing
import Text

@Suite("Times and durations", .alone)
struct ClockTests {
  static let lengths: [(Duration, Int64)] = [
    (.zero, 0), (.nanoseconds(1), 1), (.seconds(-1), -1_000_000_000), (.milliseconds(1_500), 1_500_000_000),
    (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
    // The longest duration that fits, and the first that does not.
    (.seconds(9_223_372_036) + .nanoseconds(854_775_807), .max),
    (.seconds(9_223_372_036) + .nanoseconds(854_775_806), .max - 1),
    (.seconds(9_223_372_036) + .nanoseconds(854_775_808), .max),
    (.seconds(9_223_372_037), .max), (.seconds(-9_223_372_037), .min),
    (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
  ]

  @Test("A duration that does not fit into nanoseconds becomes the longest one that does", arguments: lengths)
  func wholeNanoseconds(_ duration: Duration, _ expected: Int64) {
    #expect(duration.wholeNanoseconds == expected)
  }

  @Test("A deadline that is too far away becomes the latest time of the clock")
  func saturation() {
    #expect((MonotonicTime.now() + .seconds(Int64.max)).nanoseconds == .max)
    #expect((MonotonicTime(nanoseconds: .max) + .nanoseconds(1)).nanoseconds == .max)
    #expect((MonotonicTime(nanoseconds: 5) + .seconds(2)).nanoseconds == 2_000_000_005)
    #expect(MonotonicTime(nanoseconds: 7) - MonotonicTime(nanoseconds: 9) == .nanoseconds(-2))
  }

  @Test("The clock for deadlines does not go back")
  func monotonic() {
    var last = MonotonicTime.now()
    for _ in 0..<1_000 {
      let now = MonotonicTime.now()
      #expect(now >= last)
      last = now
    }
  }

  static let sums: [(Timestamp, Duration, Timestamp)] = [
    (.init(seconds: 10), .nanoseconds(-1), .init(seconds: 9, nanoseconds: 999_999_999)),
    (.init(seconds: 10, nanoseconds: 999_999_999), .nanoseconds(1), .init(seconds: 11)),
    (.init(seconds: 0), .milliseconds(-1_500), .init(seconds: -2, nanoseconds: 500_000_000)),
    (
      .init(seconds: 10, nanoseconds: 600_000_000), .milliseconds(1_600),
      .init(seconds: 12, nanoseconds: 200_000_000)
    ),
    (
      .init(seconds: 10, nanoseconds: 200_000_000), .milliseconds(-300),
      .init(seconds: 9, nanoseconds: 900_000_000)
    ),
    (.init(seconds: -5), .zero, .init(seconds: -5)),
  ]

  @Test("A duration is added to a time, and the difference of the times is that duration", arguments: sums)
  func sum(_ time: Timestamp, _ duration: Duration, _ expected: Timestamp) {
    #expect(time + duration == expected)
    #expect(expected - time == duration)
    #expect((expected < time) == (duration < .zero))
  }

  @Test("The seconds of a duration have a fraction")
  func fraction() { #expect(Duration.milliseconds(1_250).secondsWithFraction == 1.25) }
}
