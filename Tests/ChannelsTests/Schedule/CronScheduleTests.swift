import Channels
import Posix
import TestSupport
import Testing

@Suite("Schedules", .alone)
struct CronScheduleTests {
  private func expect(_ example: ScheduleCase) throws {
    let schedule = try CronSchedule(example.schedule)
    let zone = try #require(TimeZoneRules(named: example.zone))
    var time = try #require(Timestamp(rfc3339: example.after))
    var moments: [String] = []
    for _ in example.moments {
      time = try #require(schedule.next(after: time, in: zone))
      moments.append(String(time.rfc3339().dropLast(4)))
    }
    #expect(moments == example.moments)
  }

  /// 2026-01-01 is a Thursday.
  static let fields: [ScheduleCase] = [
    ScheduleCase("30 3 * * 1-5", "UTC", "2026-01-02T03:29:59Z", "2026-01-02T03:30", "2026-01-05T03:30"),
    ScheduleCase("30 3 * * 1-5", "UTC", "2026-01-02T03:30:00Z", "2026-01-05T03:30"),
    ScheduleCase("30 3 * * 1-5", "UTC", "2026-01-02T03:30:00.5Z", "2026-01-05T03:30"),
    ScheduleCase("* * * * *", "UTC", "2025-12-31T23:58:00Z", "2025-12-31T23:59", "2026-01-01T00:00"),
    ScheduleCase(
      "*/25 1,3 * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T01:00", "2026-01-01T01:25",
      "2026-01-01T01:50", "2026-01-01T03:00"),
    ScheduleCase(
      "10-30/10,5 0 * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:05", "2026-01-01T00:10",
      "2026-01-01T00:20", "2026-01-01T00:30", "2026-01-02T00:05"),
    ScheduleCase("0 0 * JAN,mar Mon", "UTC", "2026-01-20T00:00:00Z", "2026-01-26T00:00", "2026-03-02T00:00"),
    ScheduleCase("0 0 * * 7", "UTC", "2026-01-01T00:00:00Z", "2026-01-04T00:00", "2026-01-11T00:00"),
    ScheduleCase(
      "0 0 * * 5-7", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00", "2026-01-03T00:00",
      "2026-01-04T00:00",
      "2026-01-09T00:00"),
    ScheduleCase(
      "0 0 * * fri-sat", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00", "2026-01-03T00:00",
      "2026-01-09T00:00"),
    // Both days restricted: one of the two is enough.
    ScheduleCase(
      "0 0 13 * 5", "UTC", "2026-01-03T00:00:00Z", "2026-01-09T00:00", "2026-01-13T00:00", "2026-01-16T00:00"),
    // A field that begins with * does not restrict: both must be true.
    ScheduleCase(
      "0 0 */2 * 1", "UTC", "2026-01-01T00:00:00Z", "2026-01-05T00:00", "2026-01-19T00:00", "2026-02-09T00:00"
    ),
    ScheduleCase("0 0 1-7 * */7", "UTC", "2026-01-01T00:00:00Z", "2026-01-04T00:00", "2026-02-01T00:00"),
    ScheduleCase("0 0 *,5 * 4", "UTC", "2026-01-01T00:00:00Z", "2026-01-08T00:00"),
    // The steps of the day of the week begin with Sunday and end with Sunday.
    ScheduleCase(
      "0 0 * * */3", "UTC", "2026-01-01T00:00:00Z", "2026-01-03T00:00", "2026-01-04T00:00", "2026-01-07T00:00"
    ),
    ScheduleCase("0 0 31 * *", "UTC", "2026-01-31T00:00:00Z", "2026-03-31T00:00", "2026-05-31T00:00"),
    ScheduleCase("0 0 29 2 *", "UTC", "2096-02-29T00:00:00Z", "2104-02-29T00:00"),
    ScheduleCase("0 12 29 2 */7", "UTC", "2004-02-29T12:00:00Z", "2032-02-29T12:00"),
    ScheduleCase("@hourly", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T01:00"),
    ScheduleCase("@daily", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00"),
    ScheduleCase("@midnight", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00"),
    ScheduleCase("@weekly", "UTC", "2026-01-01T00:00:00Z", "2026-01-04T00:00"),
    ScheduleCase("@monthly", "UTC", "2026-01-01T00:00:00Z", "2026-02-01T00:00"),
    ScheduleCase("@yearly", "UTC", "2026-01-01T00:00:00Z", "2027-01-01T00:00"),
    ScheduleCase("@annually", "UTC", "2026-01-01T00:00:00Z", "2027-01-01T00:00"),
    ScheduleCase("\t 5  4\t* * * ", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T04:05"),
  ]

  @Test("A schedule has the moments that crontab(5) says", arguments: fields)
  func ordinaryDays(_ example: ScheduleCase) throws { try expect(example) }

  static let changes: [ScheduleCase] = [
    // Berlin: on 2026-03-29 the hour from 02:00 to 03:00 does not exist, on 2026-10-25 it comes twice.
    ScheduleCase(
      "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00", "2026-03-30T00:30"),
    ScheduleCase(
      "*/20 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00", "2026-03-30T00:00"),
    ScheduleCase(
      "0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00", "2026-03-30T00:00"),
    ScheduleCase(
      "30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T00:30", "2026-03-29T01:30"),
    ScheduleCase(
      "0 */2 * * *", "Europe/Berlin", "2026-03-28T22:30:00Z", "2026-03-28T23:00", "2026-03-29T02:00"),
    ScheduleCase(
      "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30", "2026-10-26T01:30"),
    ScheduleCase(
      "30 1-3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-24T23:30", "2026-10-25T00:30",
      "2026-10-25T02:30"),
    ScheduleCase(
      "30 * * * *", "Europe/Berlin", "2026-10-24T23:31:00Z", "2026-10-25T00:30", "2026-10-25T01:30",
      "2026-10-25T02:30"),
    ScheduleCase(
      "0 */2 * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T00:00", "2026-10-25T01:00",
      "2026-10-25T03:00"),
    // Between the two equal hours, the one with a fixed hour has run.
    ScheduleCase("30 2 * * *", "Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-26T01:30"),
    ScheduleCase(
      "30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", "2026-03-08T07:00", "2026-03-09T06:30"),
    ScheduleCase(
      "30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T05:30", "2026-11-02T06:30"),
    // Lord Howe changes by half an hour: 02:00 to 02:30 does not exist, 01:30 to 02:00 comes twice.
    ScheduleCase(
      "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30", "2026-10-04T15:15"),
    ScheduleCase(
      "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", "2026-04-04T14:45", "2026-04-05T15:15"),
    ScheduleCase(
      "45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T14:45", "2026-04-04T15:15",
      "2026-04-04T16:15"),
    ScheduleCase(
      "30 3 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-01T21:45", "2026-01-02T21:45"),
    // Casablanca goes back for Ramadan, and forward after it.
    ScheduleCase(
      "30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00:00Z", "2026-02-15T01:30", "2026-02-16T02:30"),
    ScheduleCase(
      "30 2 * * *", "Africa/Casablanca", "2026-03-21T12:00:00Z", "2026-03-22T02:00", "2026-03-23T01:30"),
    // Beirut changes at midnight: a day begins at 01:00, and another begins twice.
    ScheduleCase("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00Z", "2026-03-28T22:00", "2026-03-29T21:00"),
    ScheduleCase(
      "30 23 * * *", "Asia/Beirut", "2026-10-24T12:00:00Z", "2026-10-24T20:30", "2026-10-25T21:30"),
    ScheduleCase(
      "30 * * * *", "Asia/Beirut", "2026-10-24T20:00:00Z", "2026-10-24T20:30", "2026-10-24T21:30",
      "2026-10-24T22:30"),
    // Apia left out 2011-12-30.
    ScheduleCase(
      "0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", "2011-12-30T10:00", "2012-12-29T22:00"),
    // After the last change that the zone file lists.
    ScheduleCase(
      "30 2 * * *", "Europe/Berlin", "2046-03-24T12:00:00Z", "2046-03-25T01:00", "2046-03-26T00:30"),
  ]

  @Test("A change of the clocks neither loses a moment of a fixed hour nor doubles it", arguments: changes)
  func changedClocks(_ example: ScheduleCase) throws { try expect(example) }

  @Test("The next moment is the first of all moments after a time, whatever the time")
  func first() throws {
    for (text, name) in [
      ("*/30 * * * *", "Europe/Berlin"), ("30 2 * * *", "Europe/Berlin"),
      ("15,45 1-2 * * *", "Australia/Lord_Howe"),
      ("30 */2 * * *", "Africa/Casablanca"), ("0 0,23 * * *", "Asia/Beirut"),
    ] {
      let (schedule, zone) = (try CronSchedule(text), try #require(TimeZoneRules(named: name)))
      var time = try #require(Timestamp(rfc3339: "2026-03-20T00:00:00Z"))
      let end = try #require(Timestamp(rfc3339: "2026-04-08T00:00:00Z"))
      while time < end {
        let next = try #require(schedule.next(after: time, in: zone))
        #expect(next > time)
        // From anywhere between two moments the second is next.
        let middle = Timestamp(seconds: (time.seconds + next.seconds) / 2)
        #expect(schedule.next(after: middle, in: zone) == next)
        time = next
      }
    }
  }

  @Test("A schedule without a moment within 41 years, or before the year 10000, has none")
  func none() throws {
    let end = try #require(Timestamp(rfc3339: "9999-12-31T23:59:00Z"))
    #expect(try CronSchedule("* * * * *").next(after: end, in: .utc) == nil)
  }
}
