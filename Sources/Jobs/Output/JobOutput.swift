import Channels
import Posix

/// The output of a job: stored in its log file as it comes, items counted, and its lines searched for what they mean.
struct JobOutput: ~Copyable {
  /// The items of the job's earlier attempts, and what this one adds.
  private(set) var items: ItemCounter
  private(set) var matches = OutputMatches()
  /// The likely cause of a failure.
  private(set) var cause = FailureCause()

  private let rules: OutputRules
  private var log: JobLog
  private var output = LineBuffer()
  private var error = LineBuffer()

  init(
    id: Int64, directory: Directory, rules: OutputRules, addingTo items: ItemCounter = ItemCounter(), log: Log
  ) {
    self.items = items
    self.items.beginNextAttempt()
    self.log = JobLog(id: id, directory: directory, log: log)
    self.rules = rules
  }

  mutating func addOutput(_ bytes: UnsafeRawBufferPointer) {
    log.append(bytes)
    note(outputLines: output.add(bytes))
  }

  mutating func addError(_ bytes: UnsafeRawBufferPointer) {
    log.append(bytes)
    for line in error.add(bytes) { note(errorLine: line) }
  }

  /// Takes the last lines, which may lack a newline, and brings the log file into its final form.
  mutating func finish() {
    note(outputLines: output.end())
    for line in error.end() { note(errorLine: line) }
    log.finish()
  }

  private mutating func note(outputLines lines: [[UInt8]]) {
    items.add(rules.items.map { pattern in lines.filter { pattern.matches($0) } } ?? lines)
    if !rules.failure.isEmpty { for line in lines { noteFailure(line) } }
  }

  private mutating func note(errorLine line: [UInt8]) {
    if rules.errorLine?.matches(line) != true {
      cause.add(other: line)
    } else if rules.tolerate.contains(where: { $0.matches(line) }) {
      matches.tolerated += 1
    } else {
      matches.errors += 1
      cause.add(error: line)
    }
    noteFailure(line)
    if !matches.isTransient { matches.isTransient = rules.transient.contains { $0.matches(line) } }
  }

  private mutating func noteFailure(_ line: [UInt8]) {
    guard rules.failure.contains(where: { $0.matches(line) }) else { return }
    matches.isFailure = true
    cause.add(failure: line)
  }
}
