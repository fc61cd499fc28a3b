/// The written forms of a timestamp: RFC 3339 in files and logs, and the compact form in the names of triggers.
extension Timestamp {
  /// `2026-01-31T10:30:00Z`, with the requested number of fraction digits (0, 3, 6 or 9).
  package func rfc3339(fractionDigits: Int = 0) -> String {
    let (year, month, day, hour, minute, second) = fields
    var text = ContiguousArray<UInt8>()
    text.reserveCapacity(32)
    append(year, width: 4, to: &text)
    text.append(UInt8(ascii: "-"))
    append(month, width: 2, to: &text)
    text.append(UInt8(ascii: "-"))
    append(day, width: 2, to: &text)
    text.append(UInt8(ascii: "T"))
    append(hour, width: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    append(minute, width: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    append(second, width: 2, to: &text)
    appendFraction(fractionDigits, to: &text)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }

  /// `20260131T103000.123456Z`: the texts sort in the order of the times.
  package var compact: String {
    let (year, month, day, hour, minute, second) = fields
    var text = ContiguousArray<UInt8>()
    text.reserveCapacity(24)
    append(year, width: 4, to: &text)
    append(month, width: 2, to: &text)
    append(day, width: 2, to: &text)
    text.append(UInt8(ascii: "T"))
    append(hour, width: 2, to: &text)
    append(minute, width: 2, to: &text)
    append(second, width: 2, to: &text)
    appendFraction(6, to: &text)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads RFC 3339 as people and programs write it: `T` or a space between date and time, any number of digits after
  /// a full stop, `Z` or an offset such as `+02:00`. Without either, the time is taken as UTC.
  ///
  /// - Returns: nil for anything else, and for a date that does not exist.
  package init?(rfc3339 text: some StringProtocol) {
    var reader = DigitReader(text.utf8)
    guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
      let day = reader.number(2), reader.skip("T") || reader.skip("t") || reader.skip(" "),
      let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2), reader.skip(":"),
      let second = reader.number(2), let nanoseconds = reader.fraction()
    else { return nil }
    var offset = 0
    if reader.skip("+") || reader.skip("-") {
      let sign = reader.last == UInt8(ascii: "-") ? -1 : 1
      guard let hours = reader.number(2) else { return nil }
      _ = reader.skip(":")
      guard let minutes = reader.number(2), hours < 24, minutes < 60 else { return nil }
      offset = sign * (hours * 60 + minutes) * 60
    } else {
      _ = reader.skip("Z") || reader.skip("z")
    }
    guard reader.isAtEnd else { return nil }
    self.init(year, month, day, hour, minute, second, nanoseconds, offset: offset)
  }

  /// Reads `YYYYMMDDTHHMMSS[.ffffff]Z` at the beginning of some bytes.
  ///
  /// - Returns: the time and how many bytes it took; nil when the bytes do not begin with a time.
  package static func readCompact(_ bytes: ArraySlice<UInt8>) -> (time: Timestamp, length: Int)? {
    var reader = DigitReader(bytes)
    guard let year = reader.number(4), let month = reader.number(2), let day = reader.number(2),
      reader.skip("T"),
      let hour = reader.number(2), let minute = reader.number(2), let second = reader.number(2),
      let nanoseconds = reader.fraction(), reader.skip("Z"),
      let time = Timestamp(year, month, day, hour, minute, second, nanoseconds, offset: 0)
    else { return nil }
    return (time, reader.count)
  }

  /// - Returns: nil for a date or a time of day that does not exist. `offset` is in seconds east of UTC.
  init?(
    _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int, _ nanoseconds: Int64,
    offset: Int
  ) {
    guard (1...12).contains(month), (1...CalendarDate.length(ofMonth: month, in: year)).contains(day),
      hour < 24,
      minute < 60, second <= 60
    else { return nil }
    let days = CalendarDate(year: year, month: month, day: day).daysSince1970
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    guard Self.range.contains(Int64(seconds)) else { return nil }
    self.init(seconds: Int64(seconds), nanoseconds: nanoseconds)
  }

  private var fields: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
    let total = Int(seconds)
    let days = total.quotientDown(86_400)
    let rest = total - days * 86_400
    let date = CalendarDate(daysSince1970: days)
    return (date.year, date.month, date.day, rest / 3_600, rest / 60 % 60, rest % 60)
  }

  private func append(_ value: Int, width: Int, to text: inout ContiguousArray<UInt8>) {
    var power = 1
    for _ in 1..<width { power *= 10 }
    while power > 0 {
      text.append(UInt8(ascii: "0") + UInt8(value / power % 10))
      power /= 10
    }
  }

  private func appendFraction(_ digits: Int, to text: inout ContiguousArray<UInt8>) {
    guard digits > 0 else { return }
    var value = Int(nanoseconds)
    for _ in digits..<9 { value /= 10 }
    text.append(UInt8(ascii: "."))
    append(value, width: digits, to: &text)
  }
}
