import Channels
import Foundation
import Posix
import TestSupport
import Testing

@Suite("When a channel is due, in the configuration", .alone)
struct RecurrenceReaderTests {
  private func recurrence(_ keys: String, also: String = "") throws -> Recurrence {
    try readChannel("command: [\"x\"], \(keys)", also: also).recurrence
  }

  @Test("A channel is due at each run unless it, or the defaults, say otherwise")
  func values() throws {
    #expect(try recurrence("") == .eachRun)
    #expect(try recurrence(#"every: "6h""#) == .every(.seconds(21_600)))
    #expect(try recurrence("", also: #"defaults: { every: "6h" },"#) == .every(.seconds(21_600)))
    #expect(try recurrence("every: 0", also: #"defaults: { every: "6h" },"#) == .eachRun)
    let nightly = try CronSchedule("30 3 * * *")
    let berlin = try #require(TimeZoneRules(named: "Europe/Berlin"))
    let zone = #"time_zone: "Europe/Berlin", "#
    #expect(try recurrence(#"schedule: "30 3 * * *""#, also: zone) == .schedule(nightly, berlin))
    #expect(
      try recurrence(#"schedule: "30 3 * * *", time_zone: "UTC""#, also: zone)
        == .schedule(nightly, try #require(TimeZoneRules(named: "UTC"))))
    #expect(
      try recurrence("", also: #"\#(zone) defaults: { schedule: "30 3 * * *" },"#)
        == .schedule(nightly, berlin))
    #expect(
      try recurrence(#"every: "1h""#, also: #"defaults: { schedule: "30 3 * * *" },"#)
        == .every(.seconds(3_600)))
    #expect(try recurrence(#"schedule: "30 3 * * *""#) == .schedule(nightly, .ofMachine()))
  }

  @Test("A channel does not rest after failures unless backoff says so")
  func backoff() throws {
    func backoff(_ keys: String, also: String = "") throws -> Duration? {
      try readChannel("command: [\"x\"], \(keys)", also: also).backoff
    }
    #expect(try backoff("") == nil)
    #expect(try backoff(#"backoff: "15m""#) == .seconds(900))
    #expect(try backoff("", also: #"defaults: { backoff: "15m" },"#) == .seconds(900))
    #expect(try backoff("backoff: 0", also: #"defaults: { backoff: "15m" },"#) == nil)
  }

  static let faulty: [(String, String)] = [
    (
      #"every: "6h", schedule: "@daily""#,
      "schedule: given together with every; keep the one that says when the channel is due"
    ),
    (#"every: 6"#, #"every: 6 has no unit; write "6s", with the unit"#),
    (
      #"backoff: "often""#,
      #"backoff: "often" is not a duration; write whole numbers with d, h, m, s or ms, for example "30m" or "1h30m""#
    ),
    (#"schedule: 5"#, #"schedule: expected text in quotes, found the number 5; write "5""#),
    (
      #"schedule: """#,
      #"schedule: "" has 0 fields; a schedule has 5; for example "30 3 * * 1-5": minute, hour, day of the month, month, day of the week"#
    ),
    (
      #"schedule: "0 30 3 * * 1""#,
      #"schedule: "0 30 3 * * 1" has 6 fields; a schedule has 5; for example "30 3 * * 1-5": minute, hour, day of the month, month, day of the week"#
    ),
    (#"schedule: "60 3 * * *""#, #"schedule: minute: "60" is out of range; allowed: 0 to 59"#),
    (#"schedule: "0 24 * * *""#, #"schedule: hour: "24" is out of range; allowed: 0 to 23"#),
    (#"schedule: "0 3 0 * *""#, #"schedule: day of the month: "0" is out of range; allowed: 1 to 31"#),
    (#"schedule: "0 3 * 13 *""#, #"schedule: month: "13" is out of range; allowed: 1 to 12, or jan to dec"#),
    (
      #"schedule: "0 3 * * 8""#,
      #"schedule: day of the week: "8" is out of range; allowed: 0 to 7, or sun to sat"#
    ),
    (
      #"schedule: "0 3 * * monday""#,
      #"schedule: day of the week: "monday" is not a value; did you mean "mon"?"#
    ),
    (#"schedule: "0 3 * sept *""#, #"schedule: month: "sept" is not a value; did you mean "sep"?"#),
    (
      #"schedule: "5/15 * * * *""#,
      #"schedule: minute: "5/15" has a step without a range; write "5-59/15""#
    ),
    (
      #"schedule: "*/0 * * * *""#,
      #"schedule: minute: "*/0" has a step that is not a number from 1; allowed: 0 to 59"#
    ),
    (
      #"schedule: "0 22-4 * * *""#,
      #"schedule: hour: "22-4" ends before it begins; write two ranges, for example "22-23,0-4""#
    ),
    (
      #"schedule: "0 0 * * fri-sun""#,
      #"schedule: day of the week: "fri-sun" ends before it begins; Sunday is also 7: write "fri-7""#
    ),
    (#"schedule: "1,,2 * * * *""#, #"schedule: minute: "1,,2" is not a list of values; allowed: 0 to 59"#),
    (#"schedule: "? * * * *""#, #"schedule: minute: "?" is not a value; allowed: 0 to 59"#),
    (#"schedule: "0 0 L * *""#, #"schedule: day of the month: "L" is not a value; allowed: 1 to 31"#),
    (
      #"schedule: "0 0 30 2 *""#,
      #"schedule: "0 0 30 2 *" never happens: the month does not have 30 days; choose a day that the month has"#
    ),
    (#"schedule: "@dayly""#, #"schedule: "@dayly" is not a schedule; did you mean "@daily"?"#),
    (
      #"schedule: "@reboot""#,
      #"schedule: "@reboot" is not a schedule; there are @hourly @daily @midnight @weekly @monthly @yearly @annually"#
    ),
    (
      #"time_zone: "Europe/Berln""#,
      #"time_zone: this machine has no time zone "Europe/Berln"; did you mean "Europe/Berlin"?"#
    ),
    (
      #"time_zone: "../../etc/localtime""#,
      #"time_zone: this machine has no time zone "../../etc/localtime"; for example "Europe/Berlin"; if that is unknown as well, install tzdata"#
    ),
    (#"shedule: "@daily""#, #"shedule: unknown key; did you mean "schedule"?"#),
  ]

  @Test("A fault says what is wrong and what to write instead", arguments: faulty)
  func fault(_ keys: String, _ expected: String) {
    #expect(
      faults(channel("id: 7, name: \"cats\", command: [\"x\"], \(keys)")) == [
        "3: channels[0] \"cats\": \(expected)"
      ])
  }

  @Test("A key in the wrong section is told where it belongs")
  func places() {
    #expect(
      faults(top(#"every: "1h","#)) == ["2: every: unknown key; it belongs in defaults or in a channel"])
    #expect(
      faults(top(#"defaults: { time_zone: "UTC" },"#)) == [
        "2: defaults.time_zone: unknown key; it belongs at the top level"
      ])
    #expect(
      faults(top(#"time_zone: "utc","#)) == [
        #"2: time_zone: this machine has no time zone "utc"; did you mean "UTC"?"#
      ])
  }
}
