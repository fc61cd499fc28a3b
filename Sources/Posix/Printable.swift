extension Unicode.Scalar {
  /// Control characters (C0, DEL, C1), line and paragraph separators, and the marks that reorder text (U+202E and its
  /// kin): shown as they are, they could start a new line, drive a terminal or make one name look like another. All
  /// are below U+10000.
  package var isUnsafeForTerminal: Bool {
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
    if !unicodeScalars.contains(where: \.isUnsafeForTerminal) { return self }
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      default:
        if scalar.isUnsafeForTerminal {
          text += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    return text
  }
}
