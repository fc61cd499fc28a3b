/// The names of users, for messages to people. Decisions do not depend on them.
package enum PasswordFile {
  /// The name of a user id in `/etc/passwd`, see `passwd(5)`; nil when the file does not have the id.
  ///
  /// Not `getpwuid(3)`: in a program that is linked statically, the C library would load the machine's modules for
  /// that, which may belong to another version.
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
