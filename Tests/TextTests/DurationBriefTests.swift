import Testing
import Text

@Suite("Durations in messages")
struct DurationBriefTests {
  @Test(
    "A duration is given in its two largest units",
    arguments: [
      (.zero, "0ms"), (.milliseconds(999), "999ms"), (.milliseconds(1_000), "1s"), (.seconds(59), "59s"),
      (.seconds(60), "1m"), (.seconds(1_864), "31m4s"), (.seconds(3_599), "59m59s"),
      (.seconds(1_800), "30m"), (.seconds(3_600), "1h"), (.seconds(3_659), "1h"), (.seconds(3_660), "1h1m"),
      (.seconds(172_799), "47h59m"), (.seconds(172_800), "2d"), (.seconds(273_600), "3d4h"),
      (.milliseconds(-1_500), "-1s"), (.microseconds(1_999), "1ms"),
    ] as [(Duration, String)])
  func durations(duration: Duration, text: String) { #expect(duration.brief == text) }
}
