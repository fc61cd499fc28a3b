/// One fault of a configuration file.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// The file, as the user knows it.
  package let file: String
  /// The line of the fault, from 1; nil when the fault is about the file as a whole.
  package let line: Int?
  /// The column, in characters from 1; known only for syntax faults.
  package let column: Int?
  /// The keys that lead to the value, with indices from 0, for example `channels[1] "cats": timeout`; empty when the
  /// fault is about the text and not about a value.
  package let key: String
  /// What is wrong.
  package let message: String
  /// What to write instead, where that is known.
  package let suggestion: String?

  /// `etc/bobbin.json5:14: channels[1] "cats": timout: unknown key; did you mean "timeout"?`
  package var description: String {
    var text = file
    if let line { text += ":\(line)" }
    if let column { text += ":\(column)" }
    text += ": "
    if !key.isEmpty { text += "\(key): " }
    text += message
    if let suggestion { text += "; \(suggestion)" }
    return text
  }
}
