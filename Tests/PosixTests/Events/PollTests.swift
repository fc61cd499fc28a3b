import Glibc
import Posix
import TestSupport
import Testing

@Suite("Waiting", .alone)
struct PollTests {
  /// Both ends of a pipe.
  private func pipe() throws -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [0, 0]
    try #require(Glibc.pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  @Test("A wait without an event ends at the deadline, not before it", arguments: [0, 1, 20])
  func deadline(_ milliseconds: Int) throws {
    let (reader, writer) = try pipe()
    defer {
      close(reader)
      close(writer)
    }
    let deadline = MonotonicTime.now() + .milliseconds(milliseconds)
    // A signal to this process may end a wait early. The deadline is then still in the future.
    repeat {
      #expect(try Poll.wait(reader, -1, until: deadline) == (false, false))
    } while MonotonicTime.now() < deadline
  }

  @Test("A wait whose deadline has passed ends at once")
  func past() throws {
    #expect(try Poll.wait(-1, -1, until: .now() + .seconds(-5)) == (false, false))
  }

  @Test("A wait says which descriptors are ready, and ignores a descriptor that was left out")
  func ready() throws {
    let (first, second) = (try pipe(), try pipe())
    defer { for end in [first.reader, first.writer, second.reader, second.writer] { close(end) } }
    #expect(write(second.writer, "x", 1) == 1)
    let deadline = MonotonicTime.now() + Script.patience
    #expect(try Poll.wait(first.reader, second.reader, until: deadline) == (false, true))
    #expect(write(first.writer, "x", 1) == 1)
    #expect(try Poll.wait(first.reader, second.reader, until: nil) == (true, true))
  }

  @Test("A pipe whose writer has closed it is ready for reading")
  func closed() throws {
    let (reader, writer) = try pipe()
    defer { close(reader) }
    close(writer)
    #expect(try Poll.wait(-1, reader, until: nil) == (false, true))
  }

  @Test("A non-blocking reader distinguishes an empty pipe from its end")
  func nonBlocking() throws {
    let (reader, writer) = try pipe()
    try #require(fcntl(reader, F_SETFL, O_NONBLOCK) == 0)
    let descriptor = FileDescriptor(reader, path: "pipe")
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
    defer { buffer.deallocate() }
    #expect(try descriptor.read(into: buffer) == nil)
    #expect(write(writer, "ab", 2) == 2)
    #expect(try descriptor.read(into: buffer) == 2)
    close(writer)
    #expect(try descriptor.read(into: buffer) == 0)
  }

  @Test(
    "A signal is shown by its name, or by its number if it has no name",
    arguments: [
      (SIGTERM, "SIGTERM"), (SIGKILL, "SIGKILL"), (SIGSEGV, "SIGSEGV"), (SIGXFSZ, "SIGXFSZ"),
      (64, "signal 64"),
    ])
  func names(_ signal: Int32, _ name: String) {
    #expect(Signals.name(signal) == name)
  }
}
