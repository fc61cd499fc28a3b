extension Unicode.Scalar {
  /// Whether the character could start a new line, control a terminal or make one name look like another: control
  /// characters (C0, DEL, C1), line and paragraph separators, and the marks that reorder text (such as U+202E). All of
  /// them are below U+10000.
  package var isUnsafeForTerminal: Bool {
    switch value {
    case 0x20...0x7E: false
    case 0...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
    default: false
    }
  }

  /// How messages show a character that is unsafe for a terminal: `\n`, `\t` or `\u{202e}`.
  fileprivate var escape: String {
    switch self {
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    default: "\\u{\(String(value, radix: 16))}"
    }
  }
}

extension String {
  /// The text on one line, safe to show: characters that are unsafe for a terminal are escaped.
  package var printable: String {
    if !unicodeScalars.contains(where: \.isUnsafeForTerminal) { return self }
    var text = ""
    for scalar in unicodeScalars {
      if scalar.isUnsafeForTerminal { text += scalar.escape } else { text.unicodeScalars.append(scalar) }
    }
    return text
  }

  /// The text as a value of a log line: unchanged when its end is clear without quotation marks, otherwise in quotation
  /// marks, with quotation marks, backslashes and unsafe characters escaped.
  package var logValue: String {
    let isPlain =
      !isEmpty && !unicodeScalars.contains { $0.isUnsafeForTerminal || " \"=\\".unicodeScalars.contains($0) }
    if isPlain { return self }
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      default:
        if scalar.isUnsafeForTerminal { text += scalar.escape } else { text.unicodeScalars.append(scalar) }
      }
    }
    return text + "\""
  }

  /// The text in double quotes, fit for a one-line message: cut after `limit` characters, with control characters and
  /// unusual spaces escaped, so that the reader sees what is wrong with the text.
  package func quoted(limit: Int = 80) -> String {
    var result = "\""
    for scalar in prefix(limit).unicodeScalars {
      let category = scalar.properties.generalCategory
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n", "\t": result += scalar.escape
      case " ": result += " "
      default:
        let isVisible =
          !(scalar.isUnsafeForTerminal || category == .format || category == .spaceSeparator)
        result += isVisible ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return result + (dropFirst(limit).isEmpty ? "\"" : "…\"")
  }
}
