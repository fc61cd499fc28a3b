/// Walks over the structure of a JSON5 text: braces, brackets, keys, commas and comments. Scalars are only
/// delimited here; the decoder decides whether they are well-formed.
struct JSON5Scanner {
  private typealias Fault = SourceMap.SyntaxFault

  /// The configuration needs four levels. The bound keeps a hostile or broken text from using up the stack, here
  /// and in the decoder, which reads the text afterwards.
  private static let deepest = 32

  private let text: [UInt8]
  private let document: SourceMap.Document
  private var index = 0
  private(set) var tokens: [SourceMap.Token] = []
  private(set) var repetitions: [SourceMap.Repetition] = []

  init(_ text: [UInt8], _ document: SourceMap.Document) {
    self.text = text
    self.document = document
  }

  /// The one value of the text.
  mutating func root() throws(SourceMap.SyntaxFault) -> SourceMap.Node {
    guard try skipSpace() != nil else {
      throw Fault(
        offset: index, message: "the file does not contain a \(document.name)",
        suggestion: document.emptySuggestion)
    }
    if document.isObject, text[index] != UInt8(ascii: "{") {
      throw Fault(
        offset: index, message: "expected {, found \(character(at: index))",
        suggestion: "a \(document.name) is one object in braces")
    }
    let root = try value(ValuePath())
    guard try skipSpace() == nil else {
      throw Fault(
        offset: index, message: "there is text after the end of the \(document.name)",
        suggestion: document.endSuggestion)
    }
    return root
  }

  private mutating func value(_ path: ValuePath) throws(SourceMap.SyntaxFault) -> SourceMap.Node {
    guard path.steps.count <= Self.deepest else {
      throw Fault(offset: index, message: "nested more than \(Self.deepest) levels deep")
    }
    let start = index
    switch text[index] {
    case UInt8(ascii: "{"): return try object(path)
    case UInt8(ascii: "["): return try array(path)
    case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      throw Fault(offset: index, message: "a value is missing before \(character(at: index))")
    default:
      tokens.append(.init(range: try token(), isKey: false))
      return .init(offset: start)
    }
  }

  private mutating func object(_ path: ValuePath) throws(SourceMap.SyntaxFault) -> SourceMap.Node {
    let open = index
    var node = SourceMap.Node(offset: open)
    index += 1
    while try next(in: open) != UInt8(ascii: "}") {
      let keyOffset = index
      guard !",:[]{".utf8.contains(text[index]) else {
        throw Fault(offset: index, message: "expected a key or }, found \(character(at: index))")
      }
      let range = try token()
      tokens.append(.init(range: range, isKey: true))
      let key = key(in: range)
      guard try next(in: open) == UInt8(ascii: ":") else {
        throw Fault(
          offset: index, message: "expected : after the key \(key.quoted()), found \(character(at: index))")
      }
      index += 1
      _ = try next(in: open)
      let inside = path.appending(key)
      var member = try value(inside)
      member.offset = keyOffset
      if node.members[key] != nil {
        // The decoder keeps the first member, so messages also state the lines of the first member.
        repetitions.append(.init(path: inside, offset: keyOffset))
      } else {
        node.members[key] = member
      }
      try separator(before: "}", in: open)
    }
    index += 1
    return node
  }

  private mutating func array(_ path: ValuePath) throws(SourceMap.SyntaxFault) -> SourceMap.Node {
    let open = index
    var node = SourceMap.Node(offset: open)
    index += 1
    while try next(in: open) != UInt8(ascii: "]") {
      node.elements.append(try value(path.appending(node.elements.count)))
      try separator(before: "]", in: open)
    }
    index += 1
    return node
  }

  /// Skips the comma after a member or element. A comma is not needed before the closing character.
  private mutating func separator(before close: Unicode.Scalar, in open: Int) throws(SourceMap.SyntaxFault) {
    let byte = try next(in: open)
    if byte == UInt8(ascii: ",") {
      index += 1
    } else if byte != UInt8(ascii: close) {
      throw Fault(
        offset: index, message: "expected , or \(close), found \(character(at: index))",
        suggestion: "is a comma missing before it?")
    }
  }

  /// The next byte after white space and comments, within the object or array that was opened at `open`.
  private mutating func next(in open: Int) throws(SourceMap.SyntaxFault) -> UInt8 {
    guard let byte = try skipSpace() else {
      throw Fault(offset: open, message: "this \(character(at: open)) is never closed")
    }
    return byte
  }

  /// Skips a quoted text, or a bare word up to the next character that cannot be part of the word.
  private mutating func token() throws(SourceMap.SyntaxFault) -> Range<Int> {
    let start = index
    let quote = text[index]
    guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
      repeat {
        index += 1
      } while index < text.count && !" \t\n\r\u{B}\u{C},:[]{}\"'/".utf8.contains(text[index])
      return start..<index
    }
    index += 1
    while index < text.count {
      switch text[index] {
      case quote:
        index += 1
        return start..<index
      case UInt8(ascii: "\\"): index += 2
      default: index += 1
      }
    }
    throw Fault(offset: start, message: "this quote is never closed")
  }

  /// The key as the decoder sees it: the decoder resolves escapes in quotes, and leaves a bare key as it is.
  private func key(in range: Range<Int>) -> String {
    let bytes = text[range]
    guard bytes.first == UInt8(ascii: "\"") || bytes.first == UInt8(ascii: "'") else {
      return String(decoding: bytes, as: UTF8.self)
    }
    if bytes.contains(UInt8(ascii: "\\")), case .string(let key) = JSON5Value.decode(bytes) { return key }
    return String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
  }

  /// Skips white space and comments. Returns the byte after them, nil at the end of the text.
  private mutating func skipSpace() throws(SourceMap.SyntaxFault) -> UInt8? {
    while index < text.count {
      switch (text[index], index + 1 < text.count ? text[index + 1] : 0) {
      case (UInt8(ascii: " "), _), (UInt8(ascii: "\t")...UInt8(ascii: "\r"), _):
        index += 1
      case (UInt8(ascii: "/"), UInt8(ascii: "/")):
        while index < text.count, text[index] != UInt8(ascii: "\n"), text[index] != UInt8(ascii: "\r") {
          index += 1
        }
      case (UInt8(ascii: "/"), UInt8(ascii: "*")):
        let start = index
        index += 2
        while index + 1 < text.count, (text[index], text[index + 1]) != (UInt8(ascii: "*"), UInt8(ascii: "/"))
        {
          index += 1
        }
        guard index + 1 < text.count else {
          throw Fault(offset: start, message: "this comment is never closed")
        }
        index += 2
      case (let byte, _):
        return byte
      }
    }
    return nil
  }

  private func character(at offset: Int) -> String {
    String(String(decoding: text[offset...].prefix(16), as: UTF8.self).prefix(1))
  }
}
