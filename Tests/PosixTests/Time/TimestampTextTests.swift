import Posix
import TestSupport
import Testing

@Suite("Times as text", .alone)
struct TimestampTextTests {
  static let valid: [(String, Int64, Int64)] = [
    ("1970-01-01T00:00:00Z", 0, 0),
    ("2026-01-31T10:30:00Z", 1_769_855_400, 0),
    ("2026-01-31t10:30:00z", 1_769_855_400, 0),
    ("2026-01-31 10:30:00Z", 1_769_855_400, 0),
    ("2026-01-31T10:30:00", 1_769_855_400, 0),
    // Offsets, with and without the colon, on both sides of midnight.
    ("2026-01-31T12:30:00+02:00", 1_769_855_400, 0),
    ("2026-01-31T12:30:00+0200", 1_769_855_400, 0),
    ("2026-01-31T05:00:00-05:30", 1_769_855_400, 0),
    ("2026-01-31T10:30:00-00:00", 1_769_855_400, 0),
    ("2026-02-01T10:29:00+23:59", 1_769_855_400, 0),
    ("1970-01-01T00:30:00+01:00", -1_800, 0),
    // Any number of digits; digits after the ninth are cut off.
    ("1970-01-01T00:00:01.5Z", 1, 500_000_000),
    ("1970-01-01T00:00:01.000000001Z", 1, 1),
    ("1970-01-01T00:00:01.9999999999999999999999Z", 1, 999_999_999),
    ("1970-01-01T00:00:01.25+00:00", 1, 250_000_000),
    ("1970-01-01T00:00:01.123456", 1, 123_456_000),
    // Leap years: every fourth year, but of the hundredth years only every fourth.
    ("2024-02-29T00:00:00Z", 1_709_164_800, 0),
    ("2000-02-29T00:00:00Z", 951_782_400, 0),
    ("2100-02-28T00:00:00Z", 4_107_456_000, 0),
    // A leap second is the first second of the next minute.
    ("2016-12-31T23:59:60Z", 1_483_228_800, 0),
    ("2016-12-31T23:59:59Z", 1_483_228_799, 0),
    // Before the epoch, and the first and last times with four digits of the year.
    ("1969-12-31T23:59:59.75Z", -1, 750_000_000),
    ("1900-03-01T00:00:00Z", -2_203_891_200, 0),
    ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
    ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
    ("0000-01-01T01:00:00+01:00", -62_167_219_200, 0),
    ("2038-01-19T03:14:08Z", 2_147_483_648, 0),
  ]

  @Test("A time is read as RFC 3339", arguments: valid)
  func read(_ text: String, _ seconds: Int64, _ nanoseconds: Int64) throws {
    let time = try #require(Timestamp(rfc3339: text))
    #expect((time.seconds, time.nanoseconds) == (seconds, nanoseconds))
  }

  @Test(
    "A text that is not a time is refused",
    arguments: [
      "", "2026", "2026-01-31", "2026-01-31T10:30", "2026-01-31T10:30:00ZZ", "2026-01-31T10:30:00Z ",
      " 2026-01-31T10:30:00Z", "2026-01-31T10:30:00.Z", "2026-01-31T10:30:00,5Z", "2026-01-31T10:30:00+2",
      "2026-01-31T10:30:00+02", "2026-01-31T10:30:00+02:0", "2026-01-31T10:30:00+24:00",
      "2026-01-31T10:30:00+02:60", "2026-01-31T10:30:00Z+02:00", "2026-01-31_10:30:00Z", "26-01-31T10:30:00Z",
      "12026-01-31T10:30:00Z", "-026-01-31T10:30:00Z", "2026-1-31T10:30:00Z", "2026/01/31T10:30:00Z",
      "2026-00-31T10:30:00Z", "2026-13-01T10:30:00Z", "2026-01-00T10:30:00Z", "2026-01-32T10:30:00Z",
      "2026-04-31T10:30:00Z", "2026-02-29T10:30:00Z", "2100-02-29T10:30:00Z", "2026-01-31T24:00:00Z",
      "2026-01-31T10:60:00Z", "2026-01-31T10:30:61Z", "2026-01-31T10:30:00 Z", "1769855400", "now",
      "２０２６-01-31T10:30:00Z", "2026-01-31T10:30:00Z\u{0}", "2026-01-31T10:30:00Z\n",
    ])
  func refused(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

  @Test(
    "A time is written with the requested number of digits of the second, and the rest is cut off",
    arguments: [
      (0, "2026-01-31T10:30:00Z"), (3, "2026-01-31T10:30:00.098Z"), (6, "2026-01-31T10:30:00.098765Z"),
      (9, "2026-01-31T10:30:00.098765432Z"),
    ])
  func digits(_ digits: Int, _ text: String) {
    let time = Timestamp(seconds: 1_769_855_400, nanoseconds: 98_765_432)
    #expect(time.rfc3339(fractionDigits: digits) == text)
  }

  @Test("A time of any day is read back from its own text")
  func roundTrip() throws {
    // In steps of 131 days and some seconds, which cover every month, leap days and century years from year 0 to 9999.
    for seconds in stride(from: Int64(-62_167_219_200), through: 253_402_300_799, by: 131 * 86_400 + 12_347) {
      let time = Timestamp(seconds: seconds, nanoseconds: Int64(seconds.magnitude % 1_000_000) * 1_000)
      try #require(Timestamp(rfc3339: time.rfc3339(fractionDigits: 9)) == time)
      try #require(Timestamp.readCompact(Array(time.compact.utf8)[...])?.time == time)
    }
  }

  static let compact: [(String, Int64?, Int)] = [
    ("20260131T103000.123456Z-7.json", 123_456_000, 23),
    ("20260131T103000Z-7.json", 0, 16),
    ("20260131T103000Z", 0, 16),
    ("20260131T103000.5Zx", 500_000_000, 18),
    ("20260131T103000.123456", nil, 0), ("20260131T103000.Z", nil, 0), ("20260131t103000Z", nil, 0),
    ("2026-01-31T10:30:00Z", nil, 0), ("20260230T103000Z", nil, 0), ("20260131T243000Z", nil, 0),
    ("x20260131T103000Z", nil, 0), ("", nil, 0), ("7.json", nil, 0), ("20260131", nil, 0),
  ]

  @Test("The compact form of a time is found at the beginning of a name", arguments: compact)
  func readCompact(_ text: String, _ nanoseconds: Int64?, _ length: Int) {
    let prefix = Timestamp.readCompact(Array(text.utf8)[...])
    #expect(prefix?.time == nanoseconds.map { Timestamp(seconds: 1_769_855_400, nanoseconds: $0) })
    #expect(prefix?.length ?? 0 == length)
  }

  @Test("The compact forms of times sort in the order of the times")
  func order() {
    let times = [-62_167_219_200, -1, 0, 1, 1_769_855_400, 1_769_855_401, 253_402_300_799].flatMap {
      seconds in
      [0, 1_000, 999_999_000].map { Timestamp(seconds: seconds, nanoseconds: $0) }
    }
    #expect(times.map(\.compact) == times.map(\.compact).sorted())
    #expect(times == times.sorted())
    #expect(times[0].compact == "00000101T000000.000000Z")
  }
}
