import Glibc
import Posix

/// Does something without root's rights: permissions then mean what they say, and the kernel keeps the leases of other
/// users' files to itself. Concerns the whole process for as long as it takes, so tests must not run in parallel.
package func asOrdinaryUser<Result>(_ body: () throws -> Result) throws -> Result {
  guard geteuid() == 0 else { return try body() }
  guard seteuid(1) == 0 else { throw SystemError("become another user", nil, .init(errno)) }
  defer { _ = seteuid(0) }
  return try body()
}
