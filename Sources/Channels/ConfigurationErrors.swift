/// All that is wrong with a configuration file, in the order of its lines. Never empty.
package struct ConfigurationErrors: Error, Equatable, CustomStringConvertible {
  /// The faults.
  package let faults: [ConfigurationError]

  /// One fault per line.
  package var description: String { faults.map(\.description).joined(separator: "\n") }
}
