import TestSupport
import Testing
import Text

@Suite("Durations as text", .alone)
struct DurationTextTests {
  static let texts: [(String, Duration)] = [
    ("0", .zero), ("1ms", .milliseconds(1)), ("250ms", .milliseconds(250)), ("2s", .seconds(2)),
    ("90ms", .milliseconds(90)),
    ("30m", .seconds(1_800)), ("1h30m", .seconds(5_400)), ("2h", .seconds(7_200)), ("7d", .seconds(604_800)),
    ("1d2h3m4s5ms", .milliseconds(93_784_005)), ("1d5ms", .milliseconds(86_400_005)),
    ("36500d", .seconds(36_500 * 86_400)),
  ]

  @Test("A duration is written as whole numbers with units", arguments: texts)
  func read(_ text: String, _ duration: Duration) throws {
    #expect(try Duration(shortText: text) == duration)
  }

  @Test(
    "A duration need not be written in the shortest form",
    arguments: [
      ("0s", "0"), ("0d0h0m0s0ms", "0"), ("90s", "1m30s"), ("120m", "2h"), ("25h", "1d1h"), ("60s", "1m"),
      ("1000ms", "1s"),
      ("1h90m", "2h30m"), ("007s", "7s"), ("0h5m", "5m"),
    ])
  func otherForms(_ text: String, _ shortest: String) throws {
    #expect(try Duration(shortText: text) == Duration(shortText: shortest))
  }

  static let refused: [(String, DurationTextError)] = [
    ("", .malformed("")), ("m", .malformed("m")), ("5", .noUnit("5")), ("00", .noUnit("00")),
    ("1h30", .malformed("1h30")),
    ("30m1h", .malformed("30m1h")), ("1m1m", .malformed("1m1m")), ("1 m", .malformed("1 m")),
    (" 1m", .malformed(" 1m")),
    ("1m ", .malformed("1m ")), ("1.5h", .malformed("1.5h")), ("-1m", .malformed("-1m")),
    ("+1m", .malformed("+1m")),
    ("1M", .malformed("1M")), ("1min", .malformed("1min")), ("1w", .malformed("1w")),
    ("1y", .malformed("1y")),
    ("1µs", .malformed("1µs")), ("١m", .malformed("١m")), ("1h,30m", .malformed("1h,30m")),
    ("never", .malformed("never")),
    ("36500d1ms", .tooLong("36500d1ms")), ("36501d", .tooLong("36501d")),
    ("9223372036854775807s", .tooLong("9223372036854775807s")),
    ("99999999999999999999s", .tooLong("99999999999999999999s")), ("36500d1h", .tooLong("36500d1h")),
  ]

  @Test("A text that is not a duration is refused", arguments: refused)
  func refuse(_ text: String, _ expected: DurationTextError) {
    let error = #expect(throws: DurationTextError.self) { try Duration(shortText: text) }
    #expect(error == expected)
  }

  @Test("The error says what to write instead")
  func wording() {
    #expect(DurationTextError.noUnit("5").description == #""5" has no unit; write "5s", with the unit"#)
    #expect(DurationTextError.tooLong("x").description == #""x" is too long; at most "36500d""#)
    #expect(
      DurationTextError.malformed("1\u{7}").description
        == #""1\u{7}" is not a duration; write whole numbers with d, h, m, s or ms, for example "30m" or "1h30m""#
    )
  }
}
