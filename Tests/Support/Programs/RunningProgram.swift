import Foundation
import Posix

/// A program that was started. It is killed when the test no longer refers to it.
package final class RunningProgram: Sendable {
  package let id: Int32
  private let output: String
  private let error: String
  /// Kept until the program has ended, because the program writes to files in it.
  private let directory: TemporaryDirectory
  /// The status of `waitpid(2)` once the program has ended.
  private let ended: Monitor<Int32?>

  init(id: Int32, output: String, error: String, directory: TemporaryDirectory) {
    self.id = id
    self.output = output
    self.error = error
    self.directory = directory
    let ended = Monitor<Int32?>(nil)
    self.ended = ended
    // A thread waits, so that no test has to poll.
    Thread.detachNewThread {
      var status: Int32 = 0
      while waitpid(id, &status, 0) == -1, errno == EINTR {}
      let result = status
      ended.withLock { $0 = result }
      ended.notifyAll()
    }
  }

  deinit {
    if ended.withLock({ $0 }) == nil { kill(id, SIGKILL) }
  }

  package func signal(_ signal: Int32) { kill(id, signal) }

  package var isRunning: Bool { ended.withLock { $0 } == nil }

  /// The text that the program has written to standard error so far.
  package var errorSoFar: String { Self.text(error) }

  /// Waits until the program has waited `count` more times. A program that polls has polled again by then.
  package func waitForPolls(_ count: Int) throws {
    func waits() throws -> Int {
      let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
      let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
      guard let number = line?.split(separator: "\t").last, let waits = Int(number) else {
        throw Failure("the number of waits is not in: \(status)")
      }
      return waits
    }
    let before = try waits()
    try waitUntil("process \(id) has polled") { try waits() >= before + count }
  }

  /// Waits for the program's end.
  ///
  /// - Throws: when the program has not ended in time. It is then killed, and the message contains its output.
  package func wait(_ limit: Duration = .seconds(20)) throws -> ProgramResult {
    guard let status = ended.wait(until: .now() + limit, { $0 }) else {
      kill(id, SIGKILL)
      throw Failure(
        "still running after \(limit)\nstdout: \(Self.text(output))\nstderr: \(Self.text(error))")
    }
    let signal = status & 0x7F
    return ProgramResult(
      status: signal == 0 ? (status >> 8) & 0xFF : -signal, output: Self.text(output), error: Self.text(error)
    )
  }

  private static func text(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }
}

/// The exit status and the output of a program.
package struct ProgramResult: Sendable, CustomStringConvertible {
  /// The exit status, or the negative number of the signal that ended the program.
  package let status: Int32
  package let output: String
  package let error: String

  /// Standard output as one JSON document.
  package var json: JSON { get throws { try JSON(output) } }

  /// Standard output as JSON lines.
  package var jsonLines: [JSON] { get throws { try JSON.lines(output) } }

  /// Standard output, line by line.
  package var outputLines: [String] { output.split(separator: "\n").map(String.init) }

  /// Standard error, line by line.
  package var errorLines: [String] { error.split(separator: "\n").map(String.init) }

  /// The first line of standard error that contains all of `parts`.
  package func errorLine(with parts: String...) -> String? {
    errorLines.first { line in parts.allSatisfy { line.contains($0) } }
  }

  package var description: String { "status \(status)\nstdout: \(output)\nstderr: \(error)" }
}
