/// A few C strings that are others for each program: put together in one block of memory, which is used again.
package struct EnvironmentBlock: Sendable {
  /// Each ends with a zero.
  private(set) var bytes: [UInt8] = []
  /// Where they begin.
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
