import FoundationEssentials
import Text

/// A channel, by its id or by its name.
package enum ChannelReference: Sendable, Equatable, CustomStringConvertible {
  case id(Int64)
  case name(String)

  /// Digits are an id, anything else a name.
  package init(text: String) {
    if text.isASCIIDigits, let id = Int64(text) {
      self = .id(id)
    } else {
      self = .name(text)
    }
  }

  package var description: String {
    switch self {
    case .id(let id): String(id)
    case .name(let name): "\"\(name.printable)\""
    }
  }
}
