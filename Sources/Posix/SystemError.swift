#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A system call that failed: what was attempted, on what path, and why.
///
/// `description` reads `cannot open 'spool/x.json': Permission denied`.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was attempted, as a verb that follows "cannot": `open`, `sync`, `start`.
  let operation: String
  /// What it was attempted on; nil where there is no path.
  package let path: String?
  package let code: Code

  package init(_ operation: String, _ path: String?, _ code: Code) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  package var description: String {
    guard let path else { return "cannot \(operation): \(code)" }
    return "cannot \(operation) '\(path)': \(code)"
  }

  /// Whether this user is not allowed to do it.
  package var isRefusal: Bool { code == .accessDenied || code == .notPermitted }

  /// Whether this one entry of a directory can't be moved, while others may: it is immutable, another user's directory,
  /// a directory of the lower layer of an overlay, or something is mounted on it.
  package var isImmovable: Bool { isRefusal || code == .crossDevice || code == .busy }

  /// Whether this process or the machine has run out of something that will be there again: no fault of what was
  /// attempted.
  package var isShortage: Bool {
    [Code(EMFILE), Code(ENFILE), Code(EAGAIN), Code(ENOMEM)].contains(code)
  }

  /// Whether there is no room left, on the disk or within the user's share of it.
  package var isDiskFull: Bool { [.noSpace, .quota].contains(code) }

  /// Whether it was standard output or standard error that could not be written.
  package var isOutput: Bool { operation == "write to" && (path == "stdout" || path == "stderr") }

  /// Whether standard output was closed by its reader.
  package var isBrokenOutput: Bool { code == .brokenPipe && isOutput }

  /// An errno value.
  package struct Code: Equatable, Hashable, Sendable, CustomStringConvertible {
    package let number: Int32
    package init(_ number: Int32) { self.number = number }

    /// The text of `strerror(3)`.
    package var description: String { String(cString: strerror(number)) }

    package static let noSuchFile = Code(ENOENT)
    package static let exists = Code(EEXIST)
    package static let busy = Code(EBUSY)
    package static let noChild = Code(ECHILD)
    package static let isDirectory = Code(EISDIR)
    package static let notDirectory = Code(ENOTDIR)
    package static let accessDenied = Code(EACCES)
    package static let notPermitted = Code(EPERM)
    package static let readOnly = Code(EROFS)
    package static let wouldBlock = Code(EAGAIN)
    package static let crossDevice = Code(EXDEV)
    package static let noSpace = Code(ENOSPC)
    package static let quota = Code(EDQUOT)
    package static let tooManyLinks = Code(ELOOP)
    package static let nameTooLong = Code(ENAMETOOLONG)
    package static let tooManyOpen = Code(EMFILE)
    package static let brokenPipe = Code(EPIPE)
  }
}

/// Turns a result of the C layer into a value or an error.
///
/// - Parameter path: evaluated only on failure, so that a path costs nothing while all is well.
@inline(__always)
func check<Value: FixedWidthInteger & SignedInteger>(
  _ result: Value, _ operation: String, _ path: @autoclosure () -> String?
) throws(SystemError) -> Value {
  if result >= 0 { return result }
  throw SystemError(operation, path(), .init(Int32(-result)))
}
