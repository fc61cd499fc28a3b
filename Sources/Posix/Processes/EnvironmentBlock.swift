/// A few C strings that differ for each program, in one block of memory that is reused.
package struct EnvironmentBlock: Sendable {
  /// The strings, each with a zero at its end.
  private(set) var bytes: [UInt8] = []
  /// Where the strings begin.
  private(set) var starts: [Int] = []

  package init() {}

  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    starts.removeAll(keepingCapacity: true)
  }

  /// Appends an environment variable.
  package mutating func append(_ name: String, _ value: String) {
    starts.append(bytes.count)
    bytes += name.utf8
    bytes.append(UInt8(ascii: "="))
    bytes += value.utf8
    bytes.append(0)
  }
}
