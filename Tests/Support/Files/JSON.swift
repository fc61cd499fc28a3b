import Foundation

/// A JSON value that a test can compare. It can be written as a literal, and the order of its fields does not matter.
package enum JSON: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  /// - Throws: when the text is not a single JSON document.
  package init(_ text: String) throws {
    self = try JSONDecoder().decode(JSON.self, from: Data(text.utf8))
  }

  /// Reads JSON lines, with one document on each line.
  package static func lines(_ text: String) throws -> [JSON] {
    try text.split(separator: "\n").map { try JSON(String($0)) }
  }

  /// A field of an object; `.null` when it is missing, so that a test can compare without unwrapping.
  package subscript(name: String) -> JSON {
    if case .object(let fields) = self { return fields[name] ?? .null }
    return .null
  }

  /// An element of an array; `.null` when it is missing.
  package subscript(index: Int) -> JSON {
    if case .array(let values) = self, values.indices.contains(index) { return values[index] }
    return .null
  }

  /// The names of an object's fields, sorted.
  package var names: [String] {
    if case .object(let fields) = self { return fields.keys.sorted() }
    return []
  }

  package var string: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  package var number: Double? {
    if case .number(let value) = self { return value }
    return nil
  }

  /// The elements of an array; an empty list for any other value.
  package var elements: [JSON] {
    if case .array(let values) = self { return values }
    return []
  }
}

extension JSON: Decodable {
  package init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .string(text)
    } else if let array = try? value.decode([JSON].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: JSON].self))
    }
  }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
  package init(nilLiteral: ()) { self = .null }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int) { self = .number(Double(value)) }
}

extension JSON: ExpressibleByFloatLiteral, ExpressibleByStringLiteral {
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(stringLiteral value: String) { self = .string(value) }
}

extension JSON: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }
}
