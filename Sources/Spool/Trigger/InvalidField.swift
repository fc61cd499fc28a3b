import Text

/// Why a field of a trigger cannot be used.
struct InvalidField: Error {
  /// The longest text of a field, in bytes.
  private static let sizeLimit = 1024

  let reason: String

  init(_ reason: String) { self.reason = reason }

  /// Checks the text of a field: fields that are used end up in environment variables, names and log lines.
  static func checked(_ text: String, _ field: String) throws(InvalidField) -> String {
    if text.unicodeScalars.contains(where: \.isUnsafeForTerminal) {
      throw InvalidField("\"\(field)\" contains a control character")
    }
    if text.utf8.count > sizeLimit {
      throw InvalidField("\"\(field)\" is longer than \(sizeLimit) bytes")
    }
    return text
  }
}
