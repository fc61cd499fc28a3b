import CBenchmark
import Posix
import Text

/// A program that the benchmark starts. Foundation's `Process` may notice its end up to 50 ms late, and does not report
/// how much memory it used.
struct Program: ~Copyable {
  struct End {
    /// The exit status as a shell reports it: 128 plus the signal's number if a signal ended the program.
    let status: Int32
    /// The time from the program's start to its end.
    let seconds: Double
    let peakBytes: Double
  }

  let id: Int32
  private let name: String
  private let begin: MonotonicTime
  private var isRunning = true

  /// - Parameters:
  ///   - words: the path of the program and its arguments.
  ///   - output: the file its standard output goes to.
  ///   - errors: the file its standard error goes to; nil means the benchmark's own standard error.
  init(_ words: [String], output: String = "/dev/null", errors: String? = nil) throws {
    let block = words.joined(separator: "\0")
    begin = .now()
    id = program_start(block, Int32(words.count), output, errors)
    name = words[0]
    if id < 0 { throw SystemError("start", name, .init(-id)) }
  }

  deinit {
    // If an error kept the caller from waiting, the program must not be left running.
    if isRunning {
      var end = program_end()
      _ = program_signal(id, Signals.kill)
      _ = program_wait(id, &end)
    }
  }

  func signal(_ number: Int32) { _ = program_signal(id, number) }

  /// Waits for the program's end.
  ///
  /// - Throws: also when the benchmark was interrupted; the program's result does not matter then.
  consuming func wait() throws -> End {
    let end = try end()
    try Interrupted.check()
    return end
  }

  /// Waits for the program's end, whether or not the benchmark was interrupted.
  consuming func end() throws -> End {
    var end = program_end()
    let result = program_wait(id, &end)
    let seconds = (MonotonicTime.now() - begin).secondsWithFraction
    isRunning = false
    if result < 0 { throw SystemError("wait for", name, .init(-result)) }
    return End(
      status: end.signal == 0 ? end.status : 128 + end.signal, seconds: seconds,
      peakBytes: Double(end.peak_bytes))
  }

  /// Runs a program to its end.
  ///
  /// - Throws: when the program fails.
  @discardableResult
  static func run(_ words: [String], output: String = "/dev/null") throws -> End {
    try Interrupted.check()
    let end = try Program(words, output: output).wait()
    if end.status != 0 { throw Failure("\(words.joined(separator: " ")): exit status \(end.status)") }
    return end
  }

  /// Runs a shell command to its end, with `arguments` as `$1`, `$2` …
  @discardableResult
  static func shell(_ line: String, _ arguments: [String], output: String = "/dev/null") throws -> End {
    try run(["/bin/sh", "-c", line, "sh"] + arguments, output: output)
  }

  /// The path of an installed program.
  static func find(_ name: String) throws -> String {
    guard
      let path = PathQueries.program(name, searching: CurrentProcess.environment("PATH") ?? "/usr/bin:/bin")
    else {
      throw Unavailable("\(name) is not installed")
    }
    return path
  }
}
