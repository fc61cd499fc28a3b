package import Posix
import Text

/// A schedule of cron: five fields as crontab(5) of cronie has them, or one of the words that stand for them.
package struct CronSchedule: Sendable, Equatable {
  /// The text that it was read from.
  package let text: String

  private let minutes: [Int]
  private let hours: [Int]
  private let days: Set<Int>
  private let months: Set<Int>
  /// 0 for Sunday to 6.
  private let weekdays: Set<Int>
  /// Whether a day must satisfy both day fields: one of them begins with `*`, and does not restrict. Otherwise a day that
  /// satisfies one of the two is enough.
  private let needsBothDays: Bool
  /// Whether the hours begin with `*`: such a schedule counts hours that pass, any other the hours of the clock.
  private let hasWildcardHour: Bool

  private static let words = [
    ("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"),
  ]

  /// Reads a schedule.
  ///
  /// - Throws: also when there is no such day, as 30 February.
  package init(_ text: String) throws(CronSyntaxError) {
    self.text = text
    let fields = try Self.fields(text)
    func values(_ field: CronField) throws(CronSyntaxError) -> Set<Int> {
      try field.values(of: fields[CronField.allCases.firstIndex(of: field)!])
    }
    minutes = try values(.minute).sorted()
    hours = try values(.hour).sorted()
    days = try values(.dayOfMonth)
    months = try values(.month)
    weekdays = Set(try values(.dayOfWeek).map { $0 % 7 })
    hasWildcardHour = fields[1].hasPrefix("*")
    needsBothDays = fields[2].hasPrefix("*") || fields[4].hasPrefix("*")
    let longest = months.map { CalendarDate.length(ofMonth: $0, in: 2000) }.max() ?? 31
    if needsBothDays, let first = days.min(), first > longest {
      throw CronSyntaxError(
        reason: "\(text.quoted()) never happens: the month does not have \(first) days",
        suggestion: "choose a day that the month has")
    }
  }

  private static func fields(_ text: String) throws(CronSyntaxError) -> [Substring] {
    let example = #"for example "30 3 * * 1-5": minute, hour, day of the month, month, day of the week"#
    let parts = text.split { $0 == " " || $0 == "\t" }
    if let word = parts.first, word.hasPrefix("@") {
      if parts.count == 1, let (_, fields) = words.first(where: { $0.0 == word }) {
        return fields.split(separator: " ")
      }
      let known = words.map(\.0)
      throw CronSyntaxError(
        reason: "\(text.quoted()) is not a schedule",
        suggestion: spellingSuggestion(for: String(word), among: known).map { "did you mean \($0.quoted())?" }
          ?? "there are \(known.joined(separator: " "))")
    }
    guard parts.count == CronField.allCases.count else {
      throw CronSyntaxError(
        reason: "\(text.quoted()) has \(parts.count) fields; a schedule has 5", suggestion: example)
    }
    return parts
  }

  // MARK: Moments

  /// How many days ahead a moment is searched: 29 February on one day of the week comes once in 40 years at the latest.
  private static let horizon = 41 * 366

  /// The first moment after a time at which the schedule says to run, in a time zone.
  ///
  /// Where clocks go forward, a moment that does not exist is the first one that exists after it. Where they go back, a
  /// moment comes once. Both as in cron, and as there a schedule with a wildcard hour (`*`, `*/2`) is different: it runs
  /// as time passes, so that it leaves out what does not exist, and runs in both of two equal hours.
  ///
  /// - Returns: nil when no moment comes within 41 years, or before the year 9999 ends.
  package func next(after time: Timestamp, in zone: TimeZoneRules) -> Timestamp? {
    let seconds = time.seconds
    let today = Int(seconds + Int64(zone.offset(at: seconds))).quotientDown(86_400)
    var found: (moment: Int64, day: Int)?
    // A day can begin again where clocks go back at midnight, so one day before and one after the day of the moment
    // are searched as well.
    for day in today - 1...today + Self.horizon where includes(day) {
      if let found, day > found.day + 1 { break }
      let moments = moments(ofDay: day, in: zone).filter { $0 > seconds && $0 < found?.moment ?? .max }
      if let first = moments.min() { found = (first, found?.day ?? day) }
    }
    guard let found else { return nil }
    let result = Timestamp(seconds: found.moment)
    return result.seconds == found.moment ? result : nil
  }

  private func includes(_ day: Int) -> Bool {
    let date = CalendarDate(daysSince1970: day)
    guard months.contains(date.month) else { return false }
    let isDay = days.contains(date.day)
    let isWeekday = weekdays.contains(CalendarDate.weekday(daysSince1970: day))
    return needsBothDays ? isDay && isWeekday : isDay || isWeekday
  }

  /// In seconds since 1970, not in order.
  private func moments(ofDay day: Int, in zone: TimeZoneRules) -> [Int64] {
    hours.flatMap { hour in
      minutes.flatMap { minute in
        moments(ofClock: Int64(day * 86_400 + hour * 3_600 + minute * 60), in: zone)
      }
    }
  }

  /// When clocks show a time.
  ///
  /// - Parameter clock: the time as if it were UTC.
  private func moments(ofClock clock: Int64, in zone: TimeZoneRules) -> [Int64] {
    // Clocks are at most 26 hours from UTC, so whatever offset is valid then is valid around one of these.
    let before = Int64(zone.offset(at: clock - 26 * 3_600))
    let after = Int64(zone.offset(at: clock + 26 * 3_600))
    if before == after, Int64(zone.offset(at: clock - before)) == before { return [clock - before] }
    let between = [before, after].map { Int64(zone.offset(at: clock - $0)) }
    let moments = Set(([before, after] + between).map { clock - $0 })
      .filter { $0 + Int64(zone.offset(at: $0)) == clock }.sorted()
    if let first = moments.first { return hasWildcardHour ? moments : [first] }
    return hasWildcardHour ? [] : [firstMoment(afterGapAt: clock, before, after, in: zone)]
  }

  /// The moment at which clocks skip a time.
  private func firstMoment(
    afterGapAt clock: Int64, _ before: Int64, _ after: Int64, in zone: TimeZoneRules
  ) -> Int64 {
    // At `low` clocks show less than the time, at `high` more.
    var (low, high) = (clock - max(before, after), clock - min(before, after))
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if middle + Int64(zone.offset(at: middle)) < clock { low = middle } else { high = middle }
    }
    return high
  }
}
