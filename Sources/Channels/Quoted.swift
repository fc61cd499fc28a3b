import Posix

/// `text` in double quotes, fit for a one-line message: cut after `limit` characters, with control characters
/// and unusual spaces written as escapes, so that what is wrong can be seen.
func quoted(_ text: String, limit: Int = 80) -> String {
  var result = "\""
  for scalar in text.prefix(limit).unicodeScalars {
    let category = scalar.properties.generalCategory
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case " ": result += " "
    default:
      let isVisible = !(scalar.isUnsafeForTerminal || category == .format || category == .spaceSeparator)
      result += isVisible ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
    }
  }
  return result + (text.dropFirst(limit).isEmpty ? "\"" : "…\"")
}
