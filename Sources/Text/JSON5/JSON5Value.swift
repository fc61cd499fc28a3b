import FoundationEssentials

/// A JSON5 value of any kind.
///
/// The configuration is first decoded to this type and then read key by key: a `Decodable` type of its own would stop
/// at the first fault, and ignore unknown keys.
package enum JSON5Value: Decodable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  /// A number that is not an `Int`; `nan` also stands for text that the decoder cannot read as a number, such as `1e`.
  case number(Double)
  case string(String)
  case array([JSON5Value])
  case object([String: JSON5Value])

  /// Decodes a whole JSON5 text; nil when the decoder refuses it. On Linux, the decoder does not say why or where.
  package static func decode(_ text: some Collection<UInt8>) -> JSON5Value? {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return try? decoder.decode(JSON5Value.self, from: Data(text))
  }

  package init(from decoder: any Decoder) throws {
    let single = try decoder.singleValueContainer()
    // Text first, because most values are text and each wrong guess costs an error. A text that cannot be decoded
    // (a bad escape) must not be taken for another kind, so that error is passed on.
    do {
      self = .string(try single.decode(String.self))
      return
    } catch DecodingError.typeMismatch, DecodingError.valueNotFound {}
    if let object = try? decoder.container(keyedBy: Key.self) {
      var members: [String: JSON5Value] = [:]
      for key in object.allKeys { members[key.stringValue] = try object.decode(JSON5Value.self, forKey: key) }
      self = .object(members)
    } else if var array = try? decoder.unkeyedContainer() {
      var elements: [JSON5Value] = []
      while !array.isAtEnd { elements.append(try array.decode(JSON5Value.self)) }
      self = .array(elements)
    } else if single.decodeNil() {
      self = .null
    } else if let integer = try? single.decode(Int.self) {
      self = .integer(integer)
    } else if let bool = try? single.decode(Bool.self) {
      self = .bool(bool)
    } else {
      self = .number((try? single.decode(Double.self)) ?? .nan)
    }
  }

  /// The kind of the value, in words for a message.
  package var kind: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "the number \(value)"
    case .number(let value): value.isNaN ? "an unreadable number" : "the number \(value)"
    case .string(let value): "the text \(value.quoted())"
    case .array: "an array"
    case .object: "an object"
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
