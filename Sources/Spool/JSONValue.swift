import Posix

/// A JSON value to be written: fields keep their order, and every character that could disturb a terminal or hide
/// text is escaped.
///
/// Foundation's encoder is not used for writing because it can do neither: people read the history with `tail` and
/// `grep`, and a trigger's text is anybody's text.
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

  /// On one line, without a newline at the end.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512)
    write(to: &bytes)
    return bytes
  }

  /// On one line, with a newline at the end.
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
        if scalar.disturbsTerminal {
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

extension Unicode.Scalar {
  /// Control characters (C0, DEL, C1), line and paragraph separators, and the marks that reorder text (U+202E and its
  /// kin): shown as they are, they could start a new line, drive a terminal or make one name look like another. All
  /// are below U+10000.
  package var disturbsTerminal: Bool {
    switch value {
    case 0x20...0x7E: false
    case 0...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
    default: false
    }
  }
}

extension FileName {
  /// Appends the name as people may see it: on one line, what disturbs a terminal escaped.
  package func appendPrintable(to text: inout [UInt8]) {
    if bytes.allSatisfy({ (0x20...0x7E).contains($0) }) {
      text += bytes
    } else {
      text += description.printable.utf8
    }
  }
}

extension String {
  /// The text on one line, safe to show: what disturbs a terminal is written as `\n`, `\t` or `\u{202e}`.
  package var printable: String {
    if !unicodeScalars.contains(where: \.disturbsTerminal) { return self }
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      default:
        if scalar.disturbsTerminal {
          text += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    return text
  }
}
