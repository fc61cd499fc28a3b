import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The standard streams.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// What messages call the stream.
  package var name: String { self == .output ? "stdout" : "stderr" }

  /// Writes all bytes, in as few calls as possible, and waits when a pipe is full. A reader that has gone away
  /// (`| head`) is an error like any other.
  package func write(_ text: String) throws(SystemError) { try write(Array(text.utf8)) }

  package func write(_ bytes: [UInt8]) throws(SystemError) {
    let failure = bytes.withUnsafeBytes { buffer -> SystemError? in
      var rest = buffer
      while !rest.isEmpty {
        var written = linux_write(rawValue, rest.baseAddress, rest.count)
        if written == -Int(EAGAIN) {
          // The process that started this one has set O_NONBLOCK: wait here, as the kernel would without the flag.
          written = Int(linux_wait_writable(rawValue))
        }
        if written < 0 {
          return SystemError("write to", on: .stream(self), .init(Int32(-written)))
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      }
      return nil
    }
    if let failure { throw failure }
  }

  /// Whether the stream is a terminal. The corresponding C function is `isatty(3)`.
  package var isTerminal: Bool { isatty(rawValue) == 1 }
}
