/// Durations as people write them: `30m`, `1h30m`, `250ms`.
extension Duration {
  /// The units, largest first: the order in which they must stand in a text.
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
  ]

  /// A hundred years: beyond any use, and far from where adding two of them could overflow.
  private static let longest: Int64 = 36_500 * 86_400_000

  /// Reads whole numbers with their units, each unit at most once and the larger first; `0` needs no unit.
  ///
  /// - Throws: `DurationTextError`, which says what to write instead.
  package init(shortText text: String) throws(DurationTextError) {
    if text == "0" {
      self = .zero
      return
    }
    let bytes = Array(text.utf8)
    var total: Int64 = 0
    var units = Self.units[...]
    var index = 0
    repeat {
      let digits = bytes[index...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      index += digits.count
      let letters = bytes[index...].prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      index += letters.count
      guard !digits.isEmpty else { throw .malformed(text) }
      if letters.isEmpty && digits.count == bytes.count { throw .noUnit(text) }
      let name = String(decoding: letters, as: UTF8.self)
      guard let unit = units.firstIndex(where: { $0.name == name }) else { throw .malformed(text) }
      guard let number = Int64(String(decoding: digits, as: UTF8.self)) else { throw .tooLong(text) }
      let (product, overflow) = number.multipliedReportingOverflow(by: units[unit].milliseconds)
      guard !overflow, product <= Self.longest - total else { throw .tooLong(text) }
      total += product
      units = units[(unit + 1)...]
    } while index < bytes.count
    self = .milliseconds(total)
  }
}

/// A text that is no duration.
package enum DurationTextError: Error, Equatable, CustomStringConvertible {
  /// A number alone: seconds, minutes and milliseconds are all in use elsewhere, so none is assumed.
  case noUnit(String)
  /// Not numbers with units.
  case malformed(String)
  /// More than a hundred years.
  case tooLong(String)

  package var description: String { "\(reason); \(suggestion)" }

  /// What is wrong.
  package var reason: String {
    switch self {
    case .noUnit(let text): "\(quoted(text)) has no unit"
    case .malformed(let text): "\(quoted(text)) is not a duration"
    case .tooLong(let text): "\(quoted(text)) is too long"
    }
  }

  /// What to write instead.
  package var suggestion: String {
    switch self {
    case .noUnit(let text): "write \(quoted(text + "s")), with the unit"
    case .malformed: #"write whole numbers with d, h, m, s or ms, for example "30m" or "1h30m""#
    case .tooLong: #"at most "36500d""#
    }
  }
}
