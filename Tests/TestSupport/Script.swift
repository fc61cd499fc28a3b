package import Posix

/// A shell script run as a child process.
package enum Script {
  /// How long anything may take that takes milliseconds when all is well.
  package static let patience: Duration = .seconds(30)

  /// What a child left.
  package struct Outcome: Sendable {
    package let id: Int32
    package let exit: ChildProcess.Exit
    package let output: String
    package let error: String
  }

  /// Starts `/bin/sh -c script`.
  package static func start(
    _ script: String, inheriting lock: borrowing FileLock, directory: String = "/"
  ) throws -> ChildProcess {
    try ChildProcess.start(
      program: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"],
      directory: directory, inheriting: lock)
  }

  /// Runs a script to its end.
  package static func run(_ script: String) throws -> Outcome {
    let scratch = try TemporaryDirectory()
    return try finish(start(script, inheriting: scratch.open().lock("lock")))
  }

  /// Reads what a child writes until it has ended.
  package static func finish(_ child: consuming ChildProcess) throws -> Outcome {
    let deadline = MonotonicTime.now() + patience
    var texts: [[UInt8]] = [[], []]
    var open = [true, true]
    while open != [false, false] {
      let ready = try Poll.wait(
        open[0] ? child.output.number : -1, open[1] ? child.error.number : -1, until: deadline)
      if ready == [false, false], MonotonicTime.now() >= deadline {
        child.signalGroup(Signals.kill)
        throw Failure("child \(child.id) ends within \(patience)")
      }
      if ready[0] { open[0] = try append(child.output, to: &texts[0]) }
      if ready[1] { open[1] = try append(child.error, to: &texts[1]) }
    }
    return Outcome(
      id: child.id, exit: try reap(child.id), output: String(decoding: texts[0], as: UTF8.self),
      error: String(decoding: texts[1], as: UTF8.self))
  }

  /// Waits for the exit of one child. Children that others left are reaped on the way.
  package static func reap(_ id: Int32) throws -> ChildProcess.Exit {
    let deadline = MonotonicTime.now() + patience
    while MonotonicTime.now() < deadline {
      switch try Children.reap() {
      case .exited(id, let exit): return exit
      case .exited: continue
      case .none: _ = try Poll.wait(until: .now() + .milliseconds(2))
      case .childless: throw Failure("\(id) is a child that has not been waited for")
      }
    }
    throw Failure("child \(id) ends within \(patience)")
  }

  /// One line from a child that goes on running.
  package static func line(from output: borrowing Descriptor) throws -> String {
    let deadline = MonotonicTime.now() + patience
    var text: [UInt8] = []
    while text.last != UInt8(ascii: "\n") {
      guard try Poll.wait(output.number, until: deadline)[0] else {
        if MonotonicTime.now() < deadline { continue }
        throw Failure("a line within \(patience)")
      }
      guard try append(output, to: &text) else { throw Failure("a whole line, not \(text)") }
    }
    return String(decoding: text.dropLast(), as: UTF8.self)
  }

  /// - Returns: false at the end.
  private static func append(_ output: borrowing Descriptor, to text: inout [UInt8]) throws -> Bool {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    defer { buffer.deallocate() }
    guard let count = try output.read(into: buffer) else { return true }
    text += buffer[..<count]
    return count > 0
  }
}

/// Looks again and again until something that another process does has happened.
package func waitUntil(_ event: String, _ hasHappened: () throws -> Bool) throws {
  let deadline = MonotonicTime.now() + Script.patience
  while try !hasHappened() {
    guard MonotonicTime.now() < deadline else { throw Failure("\(event) within \(Script.patience)") }
    _ = try Poll.wait(until: .now() + .milliseconds(2))
  }
}
