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

  @Test("Waiting ends at the deadline when nothing happens, not before", arguments: [0, 1, 20])
  func deadline(_ milliseconds: Int) throws {
    let (reader, writer) = try pipe()
    defer {
      close(reader)
      close(writer)
    }
    let deadline = MonotonicTime.now() + .milliseconds(milliseconds)
    // A signal to this process may end a wait early; the deadline still stands then.
    repeat {
      #expect(try Poll.wait(reader, -1, until: deadline) == (false, false))
    } while MonotonicTime.now() < deadline
  }

  @Test("Waiting ends at once when the deadline has passed")
  func past() throws {
    #expect(try Poll.wait(-1, -1, until: .now() + .seconds(-5)) == (false, false))
  }

  @Test("Waiting says which descriptors have something, and passes over those left out")
  func ready() throws {
    let (first, second) = (try pipe(), try pipe())
    defer { for end in [first.reader, first.writer, second.reader, second.writer] { close(end) } }
    #expect(write(second.writer, "x", 1) == 1)
    let deadline = MonotonicTime.now() + Script.patience
    #expect(try Poll.wait(first.reader, second.reader, until: deadline) == (false, true))
    #expect(write(first.writer, "x", 1) == 1)
    #expect(try Poll.wait(first.reader, second.reader, until: nil) == (true, true))
  }

  @Test("The end of a pipe counts as something to read")
  func closed() throws {
    let (reader, writer) = try pipe()
    defer { close(reader) }
    close(writer)
    #expect(try Poll.wait(-1, reader, until: nil) == (false, true))
  }

  @Test("A reader that does not block tells nothing from the end")
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
    "Signals have their names",
    arguments: [
      (SIGTERM, "SIGTERM"), (SIGKILL, "SIGKILL"), (SIGSEGV, "SIGSEGV"), (SIGXFSZ, "SIGXFSZ"),
      (64, "signal 64"),
    ])
  func names(_ signal: Int32, _ name: String) {
    #expect(Signals.name(signal) == name)
  }
}
