import Text

/// What a trigger file says: an object, a scalar, or nothing. A pure function of its bytes.
package enum TriggerContent: Sendable, Equatable {
  /// The file is empty: its name says which channel.
  case empty
  /// `123`, `cats` or `"cats"`.
  case scalar(ChannelReference)
  case object(TriggerRequest)
  /// Not a trigger, for this reason, or a trigger that is still being written.
  case invalid(String)

  /// A larger file cannot be a trigger.
  package static let sizeLimit = 64 * 1024

  private static let document = SourceMap.Document(
    name: "trigger", isObject: false, endSuggestion: "a file holds one trigger")

  package init(_ bytes: [UInt8]) {
    if bytes.isEmpty {
      self = .empty
      return
    }
    guard bytes.count <= Self.sizeLimit else {
      self = .invalid("larger than 64 KiB")
      return
    }
    guard let text = TriggerText.trimmed(bytes) else {
      self = .invalid("neither UTF-8 text nor UTF-16 text with a mark")
      return
    }
    do throws(InvalidField) { self = try Self.read(text) } catch { self = .invalid(error.reason) }
  }

  private static func read(_ text: ArraySlice<UInt8>) throws(InvalidField) -> TriggerContent {
    switch text.first {
    case nil: return .empty
    case UInt8(ascii: "{"):
      if let members = PlainObject.members(of: text) { return .object(try TriggerRequest(members)) }
      return try json5(Array(text))
    case UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "/"):
      return try json5(Array(text))
    default: return .scalar(try word(String(decoding: text, as: UTF8.self)))
    }
  }

  /// A bare word, as `echo` writes it: an id or a name.
  private static func word(_ text: String) throws(InvalidField) -> ChannelReference {
    let reserved: Set<Character> = ["{", "}", "[", "]", ":", ",", "\"", "'"]
    if text.contains(where: { $0.isWhitespace || reserved.contains($0) }) {
      throw InvalidField(
        "neither an object in braces, a channel's id nor its name (a name with spaces goes in quotation marks)"
      )
    }
    return ChannelReference(text: try InvalidField.checked(text, "channel"))
  }

  private static func json5(_ text: [UInt8]) throws(InvalidField) -> TriggerContent {
    let map: SourceMap
    // The decoder keeps silent about a key that is given twice, and does not say where a text is wrong.
    do throws(SourceMap.SyntaxFault) { map = try SourceMap(text, as: document) } catch {
      throw syntax(error, in: text)
    }
    guard let value = JSON5Value.decode(text) else {
      throw syntax(map.refusedToken() ?? .init(offset: 0, message: "it cannot be decoded"), in: text)
    }
    if let repetition = map.repetitions.first, case .key(let key)? = repetition.path.steps.last {
      throw InvalidField("\(key.quoted()) is given twice")
    }
    switch value {
    case .object(let members): return .object(try TriggerRequest(members))
    // Some programs write a list whatever the number of its entries.
    case .array(let elements):
      if elements.count == 1, case .object(let members) = elements[0] {
        return .object(try TriggerRequest(members))
      }
      throw InvalidField("an array; one object is a trigger")
    case .string(let text): return .scalar(ChannelReference(text: try InvalidField.checked(text, "channel")))
    case .integer(let id): return .scalar(.id(Int64(id)))
    case .null, .bool, .number: throw InvalidField("\(value.kind) is not a channel's id or name")
    }
  }

  private static func syntax(_ fault: SourceMap.SyntaxFault, in text: [UInt8]) -> InvalidField {
    let (line, column) = SourceMap.position(of: fault.offset, in: text)
    return InvalidField("not valid JSON: line \(line), column \(column): \(fault.message)")
  }
}
