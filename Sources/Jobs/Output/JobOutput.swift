import Posix

/// The output of a job: stored in its log file as it comes, lines on standard output counted, lines on standard error
/// searched for the signs of a transient failure.
struct JobOutput: ~Copyable {
  /// Lines on standard output that are not blank: those of the job's earlier attempts, and what this one adds.
  private(set) var items: ItemCounter
  private(set) var isTransient = false
  /// The likely cause of a failure.
  private(set) var cause = FailureCause()

  private let transient: [Pattern]
  private var log: JobLog
  private var output = LineBuffer()
  private var error = LineBuffer()

  init(
    id: Int64, directory: Directory, transient: [Pattern], addingTo items: ItemCounter = ItemCounter(),
    log: Log
  ) {
    self.items = items
    self.items.beginNextAttempt()
    self.log = JobLog(id: id, directory: directory, log: log)
    self.transient = transient
  }

  mutating func addOutput(_ bytes: UnsafeRawBufferPointer) {
    log.append(bytes)
    items.add(output.add(bytes))
  }

  mutating func addError(_ bytes: UnsafeRawBufferPointer) {
    log.append(bytes)
    for line in error.add(bytes) { noteErrorLine(line) }
  }

  /// Takes the last lines, which may lack a newline, and brings the log file into its final form.
  mutating func finish() {
    items.add(output.end())
    for line in error.end() { noteErrorLine(line) }
    log.finish()
  }

  private mutating func noteErrorLine(_ line: [UInt8]) {
    cause.add(line)
    if !isTransient { isTransient = transient.contains { $0.matches(line) } }
  }
}
