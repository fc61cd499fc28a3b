import Foundation

/// A disk that is full for this process: no file may grow beyond a size.
package enum FileSizeLimit {
  /// Sets the limit while `body` runs. The corresponding C function is `setrlimit(2)`.
  ///
  /// - Parameter limit: in bytes. A write that would pass it is cut short there; the next one fails.
  package static func during(limit: UInt64, _ body: () throws -> Void) throws {
    signal(SIGXFSZ, SIG_IGN)
    var before = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before)
    var limited = before
    limited.rlim_cur = rlim_t(limit)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limited)
    defer { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before) }
    try body()
  }
}
