/// A JSON value to be written: fields keep their order, and every character that could disturb a terminal or hide
/// text is escaped.
///
/// Foundation's encoder is not used for writing because it does neither. Both matter: people read the history with
/// `tail` and `grep`, and anybody may write the text of a trigger.
package enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// Written in seconds with three decimals.
  case seconds(Duration)
  case string(String)
  case array([JSONValue])
  case object([(name: String, value: JSONValue)])

  package static func integer(_ value: some BinaryInteger) -> JSONValue { .integer(Int64(clamping: value)) }
  package static func optional(_ value: (some BinaryInteger)?) -> JSONValue {
    value.map { .integer($0) } ?? .null
  }
  package static func optional(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
  package static func optional(_ value: Bool?) -> JSONValue { value.map { .bool($0) } ?? .null }

  /// The value on one line, without a newline at the end.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512)
    write(to: &bytes)
    return bytes
  }

  /// The value on one line, with a newline at the end.
  package var line: [UInt8] { bytes + [UInt8(ascii: "\n")] }

  package func write(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .integer(let value): bytes += String(value).utf8
    case .seconds(let duration):
      let nanoseconds = max(0, duration.wholeNanoseconds)
      let milliseconds = nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 >= 500_000 ? 1 : 0)
      let fraction = String(milliseconds % 1_000)
      bytes += "\(milliseconds / 1_000).".utf8
      bytes += String(repeating: "0", count: 3 - fraction.utf8.count).utf8
      bytes += fraction.utf8
    case .string(let text): JSONValue.write(text, to: &bytes)
    case .array(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let fields):
      bytes.append(UInt8(ascii: "{"))
      for (index, field) in fields.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        JSONValue.write(field.name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        field.value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": bytes += "\\\"".utf8
      case "\\": bytes += "\\\\".utf8
      case "\n": bytes += "\\n".utf8
      case "\r": bytes += "\\r".utf8
      case "\t": bytes += "\\t".utf8
      default:
        if scalar.isUnsafeForTerminal {
          bytes += "\\u".utf8
          let digits = String(scalar.value, radix: 16)
          bytes += String(repeating: "0", count: 4 - digits.utf8.count).utf8
          bytes += digits.utf8
        } else {
          bytes += UTF8.encode(scalar)!
        }
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
