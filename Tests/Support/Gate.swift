import Foundation
import Posix
import Text

/// A FIFO through which a job and a test keep in step: one writes a line, and the other waits for it. The test does not
/// have to poll a file or guess how long the job takes.
///
/// In a shell script: `echo here >PATH` passes a line, `read -r line <PATH` waits for a line.
package final class Gate: Sendable {
  package let path: String
  private let descriptor: Int32
  private let rest = Monitor<[UInt8]>([])

  package init(_ path: String) throws {
    self.path = path
    guard mkfifo(path, 0o666) == 0 else { throw SystemError("make FIFO", path, .init(errno)) }
    chmod(path, 0o666)
    // Opened for reading and writing, so that nobody who opens the FIFO has to wait for the other side. When the test
    // closes it, a job that still waits reads the end of the file and ends itself.
    descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open", path, .init(errno)) }
  }

  deinit { close(descriptor) }

  /// Lets waiting scripts continue, one for each line.
  package func pass(_ line: String = "go", times: Int = 1) throws {
    let text = String(repeating: line + "\n", count: times)
    guard write(descriptor, text, text.utf8.count) == text.utf8.count else {
      throw SystemError("write to", path, .init(errno))
    }
  }

  /// Waits for a line.
  ///
  /// - Throws: when no line comes in time.
  @discardableResult
  package func wait(_ limit: Duration = .seconds(20)) throws -> String {
    let deadline = MonotonicTime.now() + limit
    while true {
      if let line = takeLine() { return line }
      guard MonotonicTime.now() < deadline else { throw Failure("no line came through \(path)") }
      var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&ready, 1, Int32((deadline - .now()).secondsWithFraction * 1_000) + 1)
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(descriptor, &buffer, buffer.count)
      if count > 0 { rest.withLock { $0 += buffer[..<count] } }
    }
  }

  private func takeLine() -> String? {
    rest.withLock { rest in
      guard let newline = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
      defer { rest.removeFirst(newline + 1) }
      return String(decoding: rest[..<newline], as: UTF8.self)
    }
  }
}
