package import Posix

/// A script that was started, and the pipes to which it writes.
package struct RunningScript: ~Copyable {
  fileprivate let child: ChildProcess
  fileprivate let pipes: OutputPipes

  package init(_ child: consuming ChildProcess, _ pipes: consuming OutputPipes) {
    self.child = child
    self.pipes = pipes
  }

  package var id: Int32 { child.id }
  package func signalGroup(_ signal: Int32) { child.signalGroup(signal) }
}

/// A shell script run as a child process.
package enum Script {
  /// The longest time to wait for something that usually takes milliseconds.
  package static let patience: Duration = .seconds(30)

  /// The exit status and the output of a child.
  package struct Outcome: Sendable {
    package let id: Int32
    package let exit: ChildProcess.Exit
    package let output: String
    package let error: String
  }

  /// Starts `/bin/sh -c script`.
  package static func start(
    _ script: String, inheriting lock: borrowing FileLock, directory: String = "/"
  ) throws -> RunningScript {
    let pipes = try OutputPipes()
    let child = try ChildProcess.start(
      program: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"],
      directory: directory, writingTo: pipes, inheriting: lock)
    return RunningScript(child, pipes)
  }

  /// Runs a script to its end.
  package static func run(_ script: String) throws -> Outcome {
    let scratch = try TemporaryDirectory()
    return try finish(start(script, inheriting: scratch.open().lock("lock")))
  }

  /// Reads the output of a child until the child has ended.
  package static func finish(_ script: consuming RunningScript) throws -> Outcome {
    let deadline = MonotonicTime.now() + patience
    var texts: (output: [UInt8], error: [UInt8]) = ([], [])
    var exit: ChildProcess.Exit?
    while exit == nil {
      switch try Children.reap() {
      case .exited(script.id, let ended): exit = ended
      case .exited: continue
      case .none:
        _ = try Poll.wait(
          script.pipes.outputNumber, script.pipes.errorNumber, until: .now() + .milliseconds(2))
      case .childless: throw Failure("\(script.id) is not a child that can be waited for")
      }
      try read(script, into: &texts)
      if MonotonicTime.now() >= deadline {
        script.signalGroup(Signals.kill)
        throw Failure("child \(script.id) did not end within \(patience)")
      }
    }
    return Outcome(
      id: script.id, exit: exit!, output: String(decoding: texts.output, as: UTF8.self),
      error: String(decoding: texts.error, as: UTF8.self))
  }

  /// Reads everything that is in the pipes.
  private static func read(
    _ script: borrowing RunningScript, into texts: inout (output: [UInt8], error: [UInt8])
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
    defer { buffer.deallocate() }
    while let count = try script.pipes.readOutput(into: buffer) { texts.output += buffer[..<count] }
    while let count = try script.pipes.readError(into: buffer) { texts.error += buffer[..<count] }
  }

  /// Waits for the exit of one child, and reaps children that other tests left.
  package static func reap(_ id: Int32) throws -> ChildProcess.Exit {
    let deadline = MonotonicTime.now() + patience
    while MonotonicTime.now() < deadline {
      switch try Children.reap() {
      case .exited(id, let exit): return exit
      case .exited: continue
      case .none: try Poll.wait(until: .now() + .milliseconds(2))
      case .childless: throw Failure("\(id) is not a child that can be waited for")
      }
    }
    throw Failure("child \(id) did not end within \(patience)")
  }

  /// The first line that a child writes; the child keeps running.
  package static func line(from script: borrowing RunningScript) throws -> String {
    let deadline = MonotonicTime.now() + patience
    var texts: (output: [UInt8], error: [UInt8]) = ([], [])
    while texts.output.last != UInt8(ascii: "\n") {
      _ = try Poll.wait(script.pipes.outputNumber, -1, until: deadline)
      try read(script, into: &texts)
      guard MonotonicTime.now() < deadline else { throw Failure("no line came within \(patience)") }
    }
    return String(decoding: texts.output.dropLast(), as: UTF8.self)
  }
}

/// Polls a condition until another process has made it true.
package func waitUntil(
  _ event: String, within limit: Duration = Script.patience, _ hasHappened: () throws -> Bool
) throws {
  let deadline = MonotonicTime.now() + limit
  while try !hasHappened() {
    guard MonotonicTime.now() < deadline else { throw Failure("not within \(limit): \(event)") }
    try Poll.wait(until: .now() + .milliseconds(2))
  }
}
