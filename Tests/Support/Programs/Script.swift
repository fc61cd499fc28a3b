package import Posix

/// A started script and what it writes to.
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

  /// Reads what a child writes until it has ended.
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
      case .childless: throw Failure("\(script.id) is a child that has not been waited for")
      }
      try read(script, into: &texts)
      if MonotonicTime.now() >= deadline {
        script.signalGroup(Signals.kill)
        throw Failure("child \(script.id) ends within \(patience)")
      }
    }
    return Outcome(
      id: script.id, exit: exit!, output: String(decoding: texts.output, as: UTF8.self),
      error: String(decoding: texts.error, as: UTF8.self))
  }

  /// Reads all that is in the pipes.
  private static func read(
    _ script: borrowing RunningScript, into texts: inout (output: [UInt8], error: [UInt8])
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
    defer { buffer.deallocate() }
    while let count = try script.pipes.readOutput(into: buffer) { texts.output += buffer[..<count] }
    while let count = try script.pipes.readError(into: buffer) { texts.error += buffer[..<count] }
  }

  /// Waits for the exit of one child. Children that others left are reaped on the way.
  package static func reap(_ id: Int32) throws -> ChildProcess.Exit {
    let deadline = MonotonicTime.now() + patience
    while MonotonicTime.now() < deadline {
      switch try Children.reap() {
      case .exited(id, let exit): return exit
      case .exited: continue
      case .none: try Poll.wait(until: .now() + .milliseconds(2))
      case .childless: throw Failure("\(id) is a child that has not been waited for")
      }
    }
    throw Failure("child \(id) ends within \(patience)")
  }

  /// The first line of a child that goes on running.
  package static func line(from script: borrowing RunningScript) throws -> String {
    let deadline = MonotonicTime.now() + patience
    var texts: (output: [UInt8], error: [UInt8]) = ([], [])
    while texts.output.last != UInt8(ascii: "\n") {
      _ = try Poll.wait(script.pipes.outputNumber, -1, until: deadline)
      try read(script, into: &texts)
      guard MonotonicTime.now() < deadline else { throw Failure("a line within \(patience)") }
    }
    return String(decoding: texts.output.dropLast(), as: UTF8.self)
  }
}

/// Looks again and again until something that another process does has happened.
package func waitUntil(
  _ event: String, within limit: Duration = Script.patience, _ hasHappened: () throws -> Bool
) throws {
  let deadline = MonotonicTime.now() + limit
  while try !hasHappened() {
    guard MonotonicTime.now() < deadline else { throw Failure("\(event) within \(limit)") }
    try Poll.wait(until: .now() + .milliseconds(2))
  }
}
