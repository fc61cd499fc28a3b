/// What follows a command's name besides options.
enum Operands {
  case none
  case one(String)
  /// Any number, shown in the usage line as this text.
  case any(String)

  /// As the usage line shows them.
  var usage: String {
    switch self {
    case .none: ""
    case .one(let text), .any(let text): text
    }
  }

  var count: ClosedRange<Int> {
    switch self {
    case .none: 0...0
    case .one: 1...1
    case .any: 0...Int.max
    }
  }
}
