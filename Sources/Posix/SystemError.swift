#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A system call that failed: what was attempted, on what, and why.
///
/// `description` reads `cannot open 'spool/x.json': Permission denied`.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What the operation was attempted on.
  package enum Subject: Equatable, Sendable {
    case path(String)
    /// Standard output or standard error: a failure of the stream says nothing about the spool.
    case stream(StandardStream)
    /// The operation has neither a path nor a stream: waiting, starting a thread.
    case none
  }

  /// The space on the file system, where an operation was not attempted because there is too little of it.
  package struct Space: Equatable, Sendable {
    /// In bytes. 0 when no further file can be made.
    package let free: Int64
    /// In bytes.
    package let needed: Int64
    /// Whether the file system can hold another file at all; most have a fixed number of inodes.
    package let hasFiles: Bool

    package init(free: Int64, needed: Int64, hasFiles: Bool) {
      self.free = free
      self.needed = needed
      self.hasFiles = hasFiles
    }

    package var isEnough: Bool { hasFiles && free >= needed }

    fileprivate var text: String {
      let bytes = "\(free >> 10) KiB are free, \(needed >> 10) KiB are needed"
      return hasFiles ? bytes : "it has no inode left for another file (\(bytes))"
    }
  }

  /// What was attempted, as a verb that follows "cannot": `open`, `sync`, `start`.
  let operation: String
  package let subject: Subject
  package let code: Code
  /// What the user can do about the error, where the code that failed knows more than the error number says.
  package private(set) var remedy: String?
  /// Nil when the kernel refused the operation: it does not say how much there is.
  package private(set) var space: Space?

  package init(_ operation: String, _ path: String?, _ code: Code) {
    self.init(operation, on: path.map { .path($0) } ?? .none, code)
  }

  package init(_ operation: String, on subject: Subject, _ code: Code) {
    self.operation = operation
    self.subject = subject
    self.code = code
  }

  /// There is too little space at a path to begin to write there.
  package static func noSpace(at path: String, _ space: Space) -> SystemError {
    var error = SystemError("write to", path, .noSpace)
    error.space = space
    return error
  }

  /// The same error with a remedy. A remedy that is already there stays: it was given closer to the cause.
  package func withRemedy(_ text: String) -> SystemError {
    var error = self
    error.remedy = remedy ?? text
    return error
  }

  /// The error as text, without the remedy.
  package var description: String {
    switch subject {
    case .path(let path): "cannot \(operation) '\(path)': \(code)" + (space.map { ": \($0.text)" } ?? "")
    case .stream(let stream): "cannot \(operation) '\(stream.name)': \(code)"
    case .none: "cannot \(operation): \(code)"
    }
  }

  /// The description, and the remedy when there is one.
  package var explanation: String { remedy.map { "\(self) (\($0))" } ?? description }

  /// Whether this user is not allowed to do it.
  package var isRefusal: Bool { code == .accessDenied || code == .notPermitted }

  /// Whether this one entry of a directory cannot be moved while others may be movable: the entry is immutable, another
  /// user's directory, a directory of the lower layer of an overlay, or has something mounted on it, or its new name is
  /// longer than its file system allows.
  package var isImmovable: Bool {
    isRefusal || code == .crossDevice || code == .busy || code == .nameTooLong
  }

  /// Whether this process or the machine has run out of a resource that becomes available again by itself: the attempt
  /// is not at fault.
  package var isShortage: Bool {
    [Code(EMFILE), Code(ENFILE), Code(EAGAIN), Code(ENOMEM)].contains(code)
  }

  /// Whether the disk, or the user's share of it, is full.
  package var isDiskFull: Bool { [.noSpace, .quota].contains(code) }

  /// Whether standard output or standard error could not be written to.
  package var isOutput: Bool {
    if case .stream = subject { true } else { false }
  }

  /// Whether the reader of standard output closed it (`| head`).
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
/// - Parameter path: evaluated only on failure, so that a path costs nothing on success.
@inline(__always)
func check<Value: FixedWidthInteger & SignedInteger>(
  _ result: Value, _ operation: String, _ path: @autoclosure () -> String?
) throws(SystemError) -> Value {
  if result >= 0 { return result }
  throw SystemError(operation, path(), .init(Int32(-result)))
}
