#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The names of users, for messages to people. Nothing is decided by them.
package enum UserName {
  /// The name of a user id; nil when the machine knows none. The corresponding C function is `getpwuid_r(3)`.
  package static func of(_ user: UInt32) -> String? {
    var size = 1024
    // A network's user database may need more room; what needs more than this is no name for a message.
    while size <= 1 << 20 {
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      let (code, name) = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
        let code = getpwuid_r(user, &entry, buffer.baseAddress!, size, &found)
        return (code, found?.pointee.pw_name.map { String(cString: $0) })
      }
      if code != ERANGE { return name }
      size *= 4
    }
    return nil
  }
}
