import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// This process and what surrounds it.
package enum CurrentProcess {
  package static var id: Int32 { getpid() }
  package static var effectiveUser: UInt32 { geteuid() }
  package static var effectiveGroup: UInt32 { getegid() }

  /// A variable of the environment; nil when it is not set or empty.
  package static func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// The whole environment, as entries `NAME=value`.
  package static func environment() -> [String] {
    var entries: [String] = []
    var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = environ
    while let entry = next.pointee {
      entries.append(String(cString: entry))
      next += 1
    }
    return entries
  }

  /// The working directory. The corresponding C function is `getcwd(3)`.
  package static func directory() throws(SystemError) -> String {
    guard let path = getcwd(nil, 0) else { throw SystemError("find the working directory", nil, .noSuchFile) }
    defer { free(path) }
    return String(cString: path)
  }

  /// The host's name; empty when there is none. The corresponding C function is `gethostname(2)`.
  package static func hostName() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard gethostname(buffer.baseAddress!, 255) == 0 else { return "" }
      buffer[255] = 0
      return String(cString: buffer.baseAddress!)
    }
  }

  /// Ends the process. The corresponding C function is `exit(3)`.
  package static func exit(_ status: Int32) -> Never {
    #if canImport(Glibc)
      Glibc.exit(status)
    #else
      Musl.exit(status)
    #endif
  }
}
