import Posix
import TestSupport
import Testing

/// Times that a clock never shows. Anybody can give them to files and triggers, and a run must not stop because of
/// them.
@Suite("Extreme times", .alone)
struct ExtremeTimesTests {
  @Test(
    "A time whose offset leads out of the years 0000 to 9999 is refused",
    arguments: ["0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z"])
  func outOfYears(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

  @Test(
    "A time is written with four digits of the year, even if a file system has a year beyond them",
    arguments: [
      (Int64.min, "0000-01-01T00:00:00Z"), (-67_768_040_609_740_800, "0000-01-01T00:00:00Z"),
      (-62_167_219_201, "0000-01-01T00:00:00Z"), (253_402_300_800, "9999-12-31T23:59:59Z"),
      (Int64.max, "9999-12-31T23:59:59Z"),
    ])
  func strange(_ seconds: Int64, _ text: String) {
    #expect(Timestamp(seconds: seconds).rfc3339() == text)
    #expect(Timestamp(seconds: seconds).compact.utf8.count == 23)
  }

  @Test("The difference of any two times is a duration, however far apart they are")
  func farApart() {
    let (first, last) = (Timestamp(seconds: .min), Timestamp(seconds: .max, nanoseconds: 999_999_999))
    #expect(last - first == .seconds(3_652_425 * 86_400 - 1))
    #expect(first - last == .seconds(1 - 3_652_425 * 86_400))
    #expect(last + .seconds(1) == last)
    #expect(first + .seconds(-1) == first)
  }
}
