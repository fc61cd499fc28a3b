/// The positions of the keys and elements of a JSON5 text.
///
/// The decoder gives values but not their lines, does not report a key that is given twice, and on Linux does not say
/// where a text is wrong. The source map supplies exactly that, and leaves the meaning of every value to the decoder.
package struct SourceMap: Sendable {
  /// What a text is to hold, and what helps when it does not.
  package struct Document: Sendable {
    let name: String
    /// Whether it must be an object; otherwise it is any value.
    let isObject: Bool
    let emptySuggestion: String?
    let endSuggestion: String?

    package init(name: String, isObject: Bool, emptySuggestion: String? = nil, endSuggestion: String? = nil) {
      self.name = name
      self.isObject = isObject
      self.emptySuggestion = emptySuggestion
      self.endSuggestion = endSuggestion
    }
  }

  /// A value with all below it.
  struct Node: Sendable {
    /// Where it begins: its key, for a member of an object.
    var offset: Int
    var members: [String: Node] = [:]
    var elements: [Node] = []
  }

  /// A key or a scalar, as written.
  struct Token: Sendable {
    let range: Range<Int>
    let isKey: Bool
  }

  /// A key that its object already has.
  package struct Repetition: Sendable {
    package let path: ValuePath
    package let offset: Int
  }

  /// Where the text departs from the grammar.
  package struct SyntaxFault: Error {
    package let offset: Int
    package let message: String
    package let suggestion: String?

    package init(offset: Int, message: String, suggestion: String? = nil) {
      self.offset = offset
      self.message = message
      self.suggestion = suggestion
    }
  }

  private let text: [UInt8]
  private let root: Node
  private let tokens: [Token]
  package let repetitions: [Repetition]

  package init(_ text: [UInt8], as document: Document) throws(SyntaxFault) {
    var scanner = JSON5Scanner(text, document)
    self.root = try scanner.root()
    self.text = text
    self.tokens = scanner.tokens
    self.repetitions = scanner.repetitions
  }

  /// The line of a value, from 1; if the value is missing, the line of the nearest value around it.
  package func line(of path: ValuePath) -> Int {
    var node = root
    for step in path.steps {
      switch step {
      case .key(let key):
        guard let member = node.members[key] else { return position(of: node.offset).line }
        node = member
      case .index(let index):
        guard node.elements.indices.contains(index) else { return position(of: node.offset).line }
        node = node.elements[index]
      }
    }
    return position(of: node.offset).line
  }

  package func position(of offset: Int) -> (line: Int, column: Int) { Self.position(of: offset, in: text) }

  /// Line and column, in characters, both from 1.
  package static func position(of offset: Int, in text: [UInt8]) -> (line: Int, column: Int) {
    let before = text[..<offset]
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    return (line, text[lineStart..<offset].count { $0 & 0xC0 != 0x80 } + 1)
  }

  /// The first key or scalar that the decoder refuses on its own, when it has refused the text as a whole.
  package func refusedToken() -> SyntaxFault? {
    for token in tokens {
      let bytes = text[token.range]
      let probe = token.isKey ? Array("{".utf8) + bytes + Array(": 0}".utf8) : Array(bytes)
      guard JSON5Value.decode(probe) == nil else { continue }
      return token.refusal(of: String(decoding: bytes, as: UTF8.self))
    }
    return nil
  }
}

extension SourceMap.Token {
  fileprivate func refusal(of word: String) -> SourceMap.SyntaxFault {
    let offset = range.lowerBound
    if word.hasPrefix("\"") || word.hasPrefix("'") {
      return .init(
        offset: offset, message: "the text contains a bad escape, a bare line break or a control character",
        suggestion: #"write \n for a line break, \\ for a backslash, \t for a tab"#)
    }
    let isPlain = word.allSatisfy { $0.isLetter || $0.isNumber || "_-./:".contains($0) }
    return .init(
      offset: offset, message: "\(word.quoted()) is not a \(isKey ? "key" : "value")",
      suggestion: isPlain ? "put it in quotes" : nil)
  }
}
