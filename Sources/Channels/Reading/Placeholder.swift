/// A word in braces inside an argument of a command, which is replaced by a value of the channel.
enum Placeholder: String, CaseIterable {
  case id, name, url, dir, limit

  /// A part of an argument: text that stays, or a word in braces.
  private enum Piece {
    case text(Substring)
    case braced(Substring)
  }

  /// Only a plain word in braces is a placeholder: `{}`, `{"a": 1}` and `%(title)s.{{` mean something to the
  /// programs that are called, and stay as they are.
  private static func pieces(of argument: String) -> [Piece] {
    var pieces: [Piece] = []
    var rest = argument[...]
    while let open = rest.firstIndex(of: "{") {
      let inside = rest[rest.index(after: open)...]
      let word = inside.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      guard let first = word.first, !first.isNumber, word.endIndex < rest.endIndex, rest[word.endIndex] == "}"
      else {
        pieces.append(.text(rest[..<inside.startIndex]))
        rest = inside
        continue
      }
      pieces.append(.text(rest[..<open]))
      pieces.append(.braced(word))
      rest = rest[rest.index(after: word.endIndex)...]
    }
    pieces.append(.text(rest))
    return pieces
  }

  /// `argument` with every placeholder replaced. The values themselves are not searched, so a value that contains
  /// `{dir}` stays as it is.
  static func replace(in argument: String, with value: (Placeholder) -> String) -> String {
    pieces(of: argument).reduce(into: "") { result, piece in
      switch piece {
      case .text(let text): result += text
      case .braced(let word): result += Placeholder(rawValue: String(word)).map(value) ?? "{\(word)}"
      }
    }
  }

  /// The words in braces in `argument`, known or not.
  static func words(in argument: String) -> [String] {
    pieces(of: argument).compactMap { if case .braced(let word) = $0 { String(word) } else { nil } }
  }

  /// All placeholders, as a message lists them.
  static var list: String { allCases.map { "{\($0.rawValue)}" }.joined(separator: " ") }
}
