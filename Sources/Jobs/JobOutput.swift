import Posix

/// What a job writes: stored in its log file as it comes, lines on standard output counted, lines on standard error
/// searched for the signs of a transient failure.
///
/// A log that cannot be written never stops the job.
struct JobOutput: ~Copyable {
  /// A log keeps this much of what each attempt wrote, from its beginning on.
  static let logLimit = 4 << 20

  /// Non-empty lines on standard output.
  private(set) var items = 0
  private(set) var isTransient = false
  /// The last non-empty line on standard error, cut: the likely cause of a failure.
  private(set) var lastErrorLine: String?

  private let name: FileName
  private let directory: Directory
  private let log: Log
  private let transient: [Pattern]
  private var file: FileDescriptor?
  private var isOpen = false
  private var isLogBroken = false
  private var written = 0
  private var output = LineBuffer()
  private var error = LineBuffer()

  init(id: Int64, directory: Directory, transient: [Pattern], log: Log) {
    name = FileName("\(id).log")
    self.directory = directory
    self.log = log
    self.transient = transient
  }

  mutating func addOutput(_ bytes: UnsafeRawBufferPointer) {
    store(bytes)
    items += output.add(bytes).count
  }

  mutating func addError(_ bytes: UnsafeRawBufferPointer) {
    store(bytes)
    for line in error.add(bytes) { noteErrorLine(line) }
  }

  /// Takes the last lines, which may lack their newline.
  mutating func finish() {
    items += output.end().count
    for line in error.end() { noteErrorLine(line) }
  }

  private mutating func noteErrorLine(_ line: [UInt8]) {
    lastErrorLine = String(decoding: line.prefix(500), as: UTF8.self)
    if !isTransient { isTransient = transient.contains { $0.matches(line) } }
  }

  private mutating func store(_ bytes: UnsafeRawBufferPointer) {
    if isLogBroken || written >= Self.logLimit { return }
    do throws(SystemError) {
      try open()
      let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.logLimit - written))
      try file?.write(part)
      written += part.count
      if written >= Self.logLimit {
        try file?.write(Array("\n[bobbin: the log ends here, after \(Self.logLimit >> 20) MiB]\n".utf8))
      }
    } catch {
      isLogBroken = true
      log.warning("job log not written: \(error)")
    }
  }

  private mutating func open() throws(SystemError) {
    if isOpen { return }
    // An earlier attempt of the same job may have written to the file.
    file = try directory.open(name, .append)
    isOpen = true
  }
}
