import Foundation
import Posix
import TestSupport
import Testing

@Suite("Times as real programs write them", .alone)
struct WrittenTimeTests {
  /// 2025-10-05T10:30:00Z.
  private static let time = Timestamp(seconds: 1_759_660_200)

  static let instants: [(String, Duration)] = [
    ("2025-10-05T10:30:00Z", .zero), ("2025-10-05t10:30:00z", .zero), ("2025-10-05 10:30:00Z", .zero),
    // date -Ins, of GNU coreutils 9.
    ("2025-10-05T10:30:00,123456789+00:00", .nanoseconds(123_456_789)),
    // PostgreSQL.
    ("2025-10-05 10:30:00.5+00", .milliseconds(500)), ("2025-10-05 12:30:00+02", .zero),
    // Ruby's Time#to_s.
    ("2025-10-05 12:30:00 +0200", .zero), ("2025-10-05 10:30:00 UTC", .zero),
    // Java's OffsetDateTime and ZonedDateTime leave out seconds that are 0.
    ("2025-10-05T10:30Z", .zero), ("2025-10-05T12:30+02:00[Europe/Berlin]", .zero),
    ("2025-10-05T10:30:00Z[UTC]", .zero),
    // ISO 8601, basic format.
    ("20251005T103000Z", .zero), ("20251005T1030Z", .zero), ("20251005T123000.25+0200", .milliseconds(250)),
    ("2025-10-05T10:30:00GMT", .zero), ("2025-10-05T05:00:00-0530", .zero),
    // date +%s, Date.now(), time.time().
    ("1759660200", .zero), ("1759660200123", .milliseconds(123)),
    ("1759660200.25", .milliseconds(250)),
  ]

  @Test("A time with a zone, or a count since 1970, is that time", arguments: instants)
  func instant(_ text: String, _ fraction: Duration) {
    #expect(WrittenTime(text) == .instant(Self.time + fraction))
  }

  @Test("A count of seconds may have a fraction")
  func fraction() {
    #expect(WrittenTime(count: 1_759_660_200.25) == .instant(Self.time + .milliseconds(250)))
  }

  @Test(
    "A text that is not a time, or not one that exists, is not read",
    arguments: [
      "", "yesterday", "2025-10-05", "2025-10-05T10", "2025-13-05T10:30:00Z", "2025-02-29T10:30:00Z",
      "2025-10-05T24:30:00Z", "2025-10-05T10:60:00Z", "2025-10-05T10:30:00.Z", "2025-10-05T10:30:00+2",
      "2025-10-05T10:30:00+24:00", "2025-10-05T10:30:00 Berlin", "2025-10-05T10:30:00Z x", "20251005103000",
      "-1", "1e9", "99999999999999999999", "2025-1005T10:30:00Z", "05.10.2025 10:30",
    ])
  func refused(_ text: String) { #expect(WrittenTime(text) == nil) }

  @Test("A time without a zone is UTC or this machine's time, whichever is nearer to when the file changed")
  func nearest() throws {
    setenv("TZ", "EST5", 1)
    defer { unsetenv("TZ") }
    let written = try #require(WrittenTime("2025-10-05T10:30:00"))
    let local = Self.time + .seconds(5 * 3_600)
    #expect(written == .withoutZone(utc: Self.time, local: local))
    #expect(written.nearest(to: Self.time + .seconds(3)) == Self.time)
    #expect(written.nearest(to: local + .seconds(3)) == local)
    #expect(WrittenTime("2025-10-05T10:30:00Z")?.nearest(to: local) == Self.time)
  }
}
