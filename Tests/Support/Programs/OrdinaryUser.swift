import Glibc
import Posix

/// Runs `body` without root's rights: permissions then apply, and the kernel refuses leases on files of other users.
/// This changes the user of the whole process until `body` ends, so tests must not run in parallel.
package func asOrdinaryUser<Result>(_ body: () throws -> Result) throws -> Result {
  guard geteuid() == 0 else { return try body() }
  guard seteuid(1) == 0 else { throw SystemError("become another user", nil, .init(errno)) }
  defer { _ = seteuid(0) }
  return try body()
}
