/// Durations as people write them: `30m`, `1h30m`, `250ms`.
extension Duration {
  /// The units, largest first: the order in which they must appear in a text.
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
  ]

  /// A hundred years: longer than anybody needs, and short enough that adding two such durations cannot overflow.
  private static let longest: Int64 = 36_500 * 86_400_000

  /// Reads whole numbers with their units, each unit at most once and larger units first; `0` needs no unit.
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
      let digits = bytes[index...].prefix { $0.isASCIIDigit }
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
