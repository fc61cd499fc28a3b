/// A text that is not a duration.
package enum DurationTextError: Error, Equatable, CustomStringConvertible {
  /// A number alone: other programs take seconds, minutes or milliseconds, so a unit is not assumed.
  case noUnit(String)
  /// Not numbers with units.
  case malformed(String)
  /// More than a hundred years.
  case tooLong(String)

  package var description: String { "\(reason); \(suggestion)" }

  /// What is wrong.
  package var reason: String {
    switch self {
    case .noUnit(let text): "\(text.quoted()) has no unit"
    case .malformed(let text): "\(text.quoted()) is not a duration"
    case .tooLong(let text): "\(text.quoted()) is too long"
    }
  }

  /// What to write instead.
  package var suggestion: String {
    switch self {
    case .noUnit(let text): "write \((text + "s").quoted()), with the unit"
    case .malformed: #"write whole numbers with d, h, m, s or ms, for example "30m" or "1h30m""#
    case .tooLong: #"at most "36500d""#
    }
  }
}
