import CLinux

/// Both ends of a pipe, close-on-exec; reading does not block. The corresponding C function is `pipe2(2)`.
struct Pipe: ~Copyable {
  let reader: FileDescriptor
  private var writer: FileDescriptor?
  /// -1 after `closeWriter()`.
  private(set) var writerNumber: Int32

  init() throws(SystemError) {
    var ends: (Int32, Int32) = (0, 0)
    let result = withUnsafeMutableBytes(of: &ends) { linux_pipe($0.bindMemory(to: Int32.self).baseAddress) }
    _ = try check(result, "make a pipe", nil)
    reader = FileDescriptor(ends.0, path: "pipe from a job")
    writer = FileDescriptor(ends.1, path: "pipe from a job")
    writerNumber = ends.1
  }

  /// Closes the writing end. The reader then sees the end as soon as the last other process that has it is gone.
  mutating func closeWriter() {
    writer = nil
    writerNumber = -1
  }
}
