import Posix
import TestSupport
import Testing

@Suite("Errors of system calls", .alone)
struct SystemErrorTests {
  static let wordings: [(SystemError, String)] = [
    (.init("open", "spool/x.json", .noSuchFile), "cannot open 'spool/x.json': No such file or directory"),
    (.init("open", "a b", .accessDenied), "cannot open 'a b': Permission denied"),
    (.init("write", "log", .noSpace), "cannot write 'log': No space left on device"),
    (.init("make a pipe", nil, .tooManyOpen), "cannot make a pipe: Too many open files"),
    (.init("examine", "x", .nameTooLong), "cannot examine 'x': File name too long"),
  ]

  @Test("The error of a system call says what was attempted, on what, and why it failed", arguments: wordings)
  func wording(_ error: SystemError, _ text: String) {
    #expect(error.description == text)
  }

  @Test("The error of a system call carries the path and the errno of the call that failed")
  func real() throws {
    let scratch = try TemporaryDirectory()
    let missing = #expect(throws: SystemError.self) { _ = try Directory(path: "\(scratch.path)/none") }
    #expect(missing?.description == "cannot open '\(scratch.path)/none': No such file or directory")
  }

  @Test("A write to a full device is an error of the operation write")
  func deviceFull() throws {
    let error = #expect(throws: SystemError.self) {
      try Directory(path: "/dev").open(FileName("full"), .append).write(Array("x".utf8))
    }
    #expect(error?.description == "cannot write '/dev/full': No space left on device")
    #expect(error?.isBrokenOutput == false)
  }

  @Test(
    "Only a standard stream that lost its reader counts as broken output",
    arguments: [
      (SystemError("write to", on: .stream(.output), .brokenPipe), true),
      (.init("write to", on: .stream(.output), .noSpace), false),
      // The same operation on a file of that name, and an error on another file.
      (.init("write to", "stdout", .brokenPipe), false), (.init("write", "log", .brokenPipe), false),
    ])
  func brokenOutput(_ error: SystemError, _ expected: Bool) {
    #expect(error.isBrokenOutput == expected)
  }
}
