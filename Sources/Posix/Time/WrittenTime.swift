import Text

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A time as real programs write it: RFC 3339 and its relatives, or a count of seconds or milliseconds since 1970.
package enum WrittenTime: Sendable, Equatable {
  /// A time with a zone, or a count since 1970.
  case instant(Timestamp)
  /// A time without a zone. The two readings are the same where this machine's zone is UTC.
  case withoutZone(utc: Timestamp, local: Timestamp)

  /// From here on a count is one of milliseconds: in seconds it would be after the year 5138.
  private static let millisecondsFrom: Int64 = 100_000_000_000
  /// A count of more than this is neither (the year 2286 in milliseconds): `20251005103000` is not a count.
  private static let countLimit: Int64 = 9_999_999_999_999

  /// Reads a time. Between date and time stands `T` or a space; hyphens, colons and seconds may be missing; the
  /// fraction follows a full stop or a comma; the zone is `Z`, `UTC`, `GMT` or an offset such as `+02:00`, `+0200` or
  /// `+02`, also after a space, and its name may follow in brackets (`+02:00[Europe/Berlin]`).
  ///
  /// - Returns: nil for anything else, and for a date that does not exist.
  package init?(_ text: some StringProtocol) {
    if let count = Int64(decimal: text.utf8) {
      self.init(count: count)
      return
    }
    // As Python's time.time() and `date +%s.%N` print it.
    if !text.isEmpty, text.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }),
      text.utf8.contains(UInt8(ascii: ".")), let count = Double(text)
    {
      self.init(count: count)
      return
    }
    var reader = DigitReader(text.utf8)
    guard let year = reader.number(4) else { return nil }
    let hasHyphens = reader.skip("-")
    guard let month = reader.number(2), !hasHyphens || reader.skip("-"), let day = reader.number(2),
      reader.skip("T") || reader.skip("t") || reader.skip(" "), let hour = reader.number(2)
    else { return nil }
    let hasColons = reader.skip(":")
    guard let minute = reader.number(2) else { return nil }
    var second = 0
    if hasColons ? reader.skip(":") : reader.isAtDigit {
      guard let number = reader.number(2) else { return nil }
      second = number
    }
    guard let nanoseconds = reader.fraction(allowsComma: true), let zone = Zone(&reader),
      let utc = Timestamp(year, month, day, hour, minute, second, nanoseconds, offset: zone.offset ?? 0)
    else { return nil }
    if zone.offset != nil {
      self = .instant(utc)
    } else {
      self = .withoutZone(
        utc: utc, local: Self.local(year, month, day, hour, minute, second, nanoseconds) ?? utc)
    }
  }

  /// A count of seconds since 1970, or of milliseconds when it is too large for that.
  ///
  /// - Returns: nil for a count that is neither.
  package init?(count: Int64) {
    guard (0...Self.countLimit).contains(count) else { return nil }
    if count < Self.millisecondsFrom {
      self = .instant(Timestamp(seconds: count))
    } else {
      self = .instant(
        Timestamp(seconds: count / 1_000, nanoseconds: count % 1_000 * 1_000_000))
    }
  }

  /// A count with a fraction, as `time.time()` of Python gives it.
  package init?(count: Double) {
    guard count >= 0, count <= Double(Self.countLimit) else { return nil }
    let seconds = count < Double(Self.millisecondsFrom) ? count : count / 1_000
    let whole = seconds.rounded(.down)
    self = .instant(
      Timestamp(seconds: Int64(whole), nanoseconds: Int64((seconds - whole) * 1_000_000_000)))
  }

  /// The time that is meant: a time without a zone is UTC or this machine's local time, whichever is nearer.
  package func nearest(to other: Timestamp) -> Timestamp {
    switch self {
    case .instant(let time): return time
    case .withoutZone(let utc, let local):
      func distance(_ time: Timestamp) -> Duration { max(time - other, other - time) }
      return distance(local) < distance(utc) ? local : utc
    }
  }

  /// The time that this machine's clocks on the wall show so. The corresponding C function is `mktime(3)`.
  private static func local(
    _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int, _ nanoseconds: Int64
  ) -> Timestamp? {
    var fields = tm()
    fields.tm_year = Int32(year - 1900)
    fields.tm_mon = Int32(month - 1)
    fields.tm_mday = Int32(day)
    fields.tm_hour = Int32(hour)
    fields.tm_min = Int32(minute)
    fields.tm_sec = Int32(second)
    fields.tm_isdst = -1
    // -1 also stands for one second before 1970, which no request was made at.
    let seconds = mktime(&fields)
    return seconds == -1 ? nil : Timestamp(seconds: Int64(seconds), nanoseconds: nanoseconds)
  }

  /// What follows the time of day.
  private struct Zone {
    /// Seconds east of UTC; nil where the text ends without a zone.
    let offset: Int?

    /// - Returns: nil for a text that is not a zone.
    init?<Bytes>(_ reader: inout DigitReader<Bytes>) {
      if reader.isAtEnd {
        offset = nil
        return
      }
      _ = reader.skip(" ")
      if reader.skip("+") || reader.skip("-") {
        let sign = reader.last == UInt8(ascii: "-") ? -1 : 1
        guard let hours = reader.number(2) else { return nil }
        var minutes = 0
        if reader.skip(":") || reader.isAtDigit {
          guard let number = reader.number(2) else { return nil }
          minutes = number
        }
        guard hours < 24, minutes < 60 else { return nil }
        offset = sign * (hours * 60 + minutes) * 60
      } else if reader.skip(word: "UTC") || reader.skip(word: "GMT") || reader.skip("Z") || reader.skip("z") {
        offset = 0
      } else {
        return nil
      }
      if reader.skip("[") { reader.skipAll(upTo: "]") }
      guard reader.isAtEnd else { return nil }
    }
  }
}
