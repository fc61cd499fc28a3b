import Posix

/// The output of a job: stored in its log file as it comes, lines on standard output counted, lines on standard error
/// searched for the signs of a transient failure.
struct JobOutput: ~Copyable {
  /// Lines on standard output that are not blank.
  private(set) var items = 0
  private(set) var isTransient = false
  /// The last line on standard error that is not blank, cut: the likely cause of a failure.
  private(set) var lastErrorLine: String?

  private let transient: [Pattern]
  private var log: JobLog
  private var output = LineBuffer()
  private var error = LineBuffer()

  init(id: Int64, directory: Directory, transient: [Pattern], log: Log) {
    self.log = JobLog(id: id, directory: directory, log: log)
    self.transient = transient
  }

  mutating func addOutput(_ bytes: UnsafeRawBufferPointer) {
    log.append(bytes)
    items += output.add(bytes).count
  }

  mutating func addError(_ bytes: UnsafeRawBufferPointer) {
    log.append(bytes)
    for line in error.add(bytes) { noteErrorLine(line) }
  }

  /// Takes the last lines, which may lack a newline, and brings the log file into its final form.
  mutating func finish() {
    items += output.end().count
    for line in error.end() { noteErrorLine(line) }
    log.finish()
  }

  private mutating func noteErrorLine(_ line: [UInt8]) {
    lastErrorLine = String(decoding: line.prefix(500), as: UTF8.self)
    if !isTransient { isTransient = transient.contains { $0.matches(line) } }
  }
}
