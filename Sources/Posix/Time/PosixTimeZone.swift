import Text

/// The rules of a time zone as the environment variable TZ and the last line of a zone file state them, for example
/// `CET-1CEST,M3.5.0,M10.5.0/3`: POSIX, "Environment Variables", with the extensions of RFC 9636 (times from -167 to 167
/// hours).
struct PosixTimeZone: Sendable, Equatable {
  private struct Rule: Equatable {
    enum Day: Equatable {
      /// 1 to 365; 29 February is never counted.
      case withoutLeapDay(Int)
      /// 0 to 365.
      case ofYear(Int)
      /// The last such day of the month when `week` is 5.
      case weekday(month: Int, week: Int, weekday: Int)
    }
    let day: Day
    /// Seconds after midnight.
    let time: Int

    /// Seconds since 1970 on the clocks that are valid until then.
    func seconds(in year: Int) -> Int {
      let newYear = CalendarDate(year: year, month: 1, day: 1).daysSince1970
      let days =
        switch day {
        case .withoutLeapDay(let number):
          newYear + number - (CalendarDate.isLeap(year) && number >= 60 ? 0 : 1)
        case .ofYear(let number): newYear + number
        case .weekday(let month, let week, let weekday): Self.day(year, month, week, weekday)
        }
      return days * 86_400 + time
    }

    private static func day(_ year: Int, _ month: Int, _ week: Int, _ weekday: Int) -> Int {
      let first = CalendarDate(year: year, month: month, day: 1).daysSince1970
      var day = (weekday - CalendarDate.weekday(daysSince1970: first) + 7) % 7 + (week - 1) * 7
      if day >= CalendarDate.length(ofMonth: month, in: year) { day -= 7 }
      return first + day
    }
  }

  /// Seconds east of UTC.
  private let standard: Int
  private let daylight: (offset: Int, start: Rule, end: Rule)?

  static func == (left: PosixTimeZone, right: PosixTimeZone) -> Bool {
    left.standard == right.standard && left.daylight?.offset == right.daylight?.offset
      && left.daylight?.start == right.daylight?.start && left.daylight?.end == right.daylight?.end
  }

  /// - Returns: nil for a text of another form.
  init?(_ text: some StringProtocol) {
    var reader = Reader(text)
    guard reader.skipName(), let west = reader.time(limit: 24) else { return nil }
    standard = -west
    if reader.isAtEnd {
      daylight = nil
      return
    }
    guard reader.skipName() else { return nil }
    var offset = standard + 3_600
    if !reader.isAtEnd, !reader.isAt(",") {
      guard let west = reader.time(limit: 24) else { return nil }
      offset = -west
    }
    // Without a rule, that of the United States is usual.
    if reader.isAtEnd { reader = Reader(",M3.2.0,M11.1.0") }
    guard let start = reader.rule(), let end = reader.rule(), reader.isAtEnd else { return nil }
    daylight = (offset, start, end)
  }

  /// Seconds east of UTC at a time, which is given in seconds since 1970.
  func offset(at seconds: Int64) -> Int {
    guard let (offset, start, end) = daylight else { return standard }
    let time = Int(seconds)
    let year = CalendarDate(daysSince1970: (time + standard).quotientDown(86_400)).year
    var last = (time: Int.min, offset: standard)
    // Where one change follows the other at once, the daylight saving time that begins is the one that counts.
    for year in year - 1...year + 1 {
      let changes = [
        (end.seconds(in: year) - offset, standard), (start.seconds(in: year) - standard, offset),
      ]
      for (change, new) in changes where change <= time {
        if change > last.time || (change == last.time && new == offset) { last = (change, new) }
      }
    }
    return last.offset
  }

  private struct Reader {
    private var rest: Substring.UTF8View

    init(_ text: some StringProtocol) { rest = Substring(text).utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    func isAt(_ character: Unicode.Scalar) -> Bool { rest.first == UInt8(ascii: character) }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
      guard isAt(character) else { return false }
      rest.removeFirst()
      return true
    }

    /// An abbreviation of at least three characters: letters, or anything in angle brackets.
    mutating func skipName() -> Bool {
      let isQuoted = skip("<")
      let name = rest.prefix { byte in
        isQuoted
          ? byte != UInt8(ascii: ">")
          : (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      }
      rest = rest.dropFirst(name.count)
      return name.count >= 3 && (!isQuoted || skip(">"))
    }

    mutating func number() -> Int? {
      let digits = rest.prefix { $0.isASCIIDigit }.prefix(4)
      rest = rest.dropFirst(digits.count)
      return Int(Substring(digits))
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(limit: Int) -> Int? {
      let sign = skip("-") ? -1 : 1
      if sign == 1 { _ = skip("+") }
      guard let hours = number(), hours <= limit else { return nil }
      var seconds = hours * 3_600
      for unit in [60, 1] where skip(":") {
        guard let part = number(), part < 60 else { return nil }
        seconds += part * unit
      }
      return sign * seconds
    }

    /// `,Mm.w.d[/time]`, `,Jn[/time]` or `,n[/time]`.
    mutating func rule() -> Rule? {
      guard skip(","), let day = day() else { return nil }
      guard skip("/") else { return Rule(day: day, time: 2 * 3_600) }
      return time(limit: 167).map { Rule(day: day, time: $0) }
    }

    private mutating func day() -> Rule.Day? {
      if skip("J") {
        guard let number = number(), (1...365).contains(number) else { return nil }
        return .withoutLeapDay(number)
      }
      guard skip("M") else {
        guard let number = number(), number <= 365 else { return nil }
        return .ofYear(number)
      }
      guard let month = number(), (1...12).contains(month), skip("."), let week = number(),
        (1...5).contains(week), skip("."), let weekday = number(), weekday <= 6
      else { return nil }
      return .weekday(month: month, week: week, weekday: weekday)
    }
  }
}
