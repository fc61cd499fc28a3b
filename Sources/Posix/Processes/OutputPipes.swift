import CLinux

/// The pipes through which this process reads the standard output and the standard error of a child process.
///
/// This process keeps the writing ends open as well. So a pipe never ends, and its reader is not woken for an end: when
/// the child ends, nothing more arrives. And the next child can use the same pipes, if it is known that nobody holds
/// them any longer; flags that a child has set on its ends (O_NONBLOCK) are cleared before the next start.
package struct OutputPipes: ~Copyable {
  private(set) var output: Pipe
  private(set) var error: Pipe

  package init() throws(SystemError) {
    let output = try Pipe()
    let error = try Pipe()
    self.output = output
    self.error = error
  }

  /// Restores the flags of the children's ends: a write waits when a pipe is full. The corresponding C function is
  /// `fcntl(2)` with `F_SETFL`.
  package func reset() throws(SystemError) {
    _ = try check(linux_set_blocking(output.writerNumber), "prepare a pipe", nil)
    _ = try check(linux_set_blocking(error.writerNumber), "prepare a pipe", nil)
  }

  /// Closes the writing ends of this process: a pipe ends when the last other process that holds it has closed it. No
  /// other child can use these pipes after that.
  package mutating func closeWriters() {
    output.closeWriter()
    error.closeWriter()
  }

  /// The numbers of the reading ends, for `Poll.wait`.
  package var outputNumber: Int32 { output.reader.number }
  package var errorNumber: Int32 { error.reader.number }

  /// Reads once from standard output. See `FileDescriptor.read(into:)`.
  package func readOutput(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int? {
    try output.reader.read(into: buffer)
  }

  /// Reads once from standard error. See `FileDescriptor.read(into:)`.
  package func readError(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int? {
    try error.reader.read(into: buffer)
  }
}
