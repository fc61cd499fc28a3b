/// The names of users, for messages to people. Nothing is decided by them.
package enum PasswordFile {
  /// The name of a user id as `/etc/passwd` has it, see `passwd(5)`; nil where that says none.
  ///
  /// Not `getpwuid(3)`: in a program that is one file without any library, the C library would load the machine's
  /// modules for that, which may be another version's.
  package static func userName(_ user: UInt32) -> String? {
    guard let bytes = try? PathQueries.read("/etc/passwd", limit: 1 << 20) else { return nil }
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
      if fields.count > 2, !fields[0].isEmpty, UInt32(String(decoding: fields[2], as: UTF8.self)) == user {
        return String(decoding: fields[0], as: UTF8.self)
      }
    }
    return nil
  }
}
