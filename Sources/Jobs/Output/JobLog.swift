import Posix

/// The log file of a job: its output, in the order in which it came. If the output is long, the log keeps the
/// beginning, which says what was done, and the end, which says what went wrong.
///
/// A log that cannot be written is reported once and never stops the job.
struct JobLog: ~Copyable {
  /// How much of the beginning and of the end of each attempt's output is kept.
  static let headLimit = 2 << 20
  static let tailLimit = 2 << 20

  private let name: FileName
  private let directory: Directory
  private let log: Log
  private var file: FileDescriptor?
  private var isOpen = false
  private var isBroken = false
  /// Where this attempt's tail begins in the file: after its head and the line that says what is missing.
  private var tailStart: Int64 = 0
  private var headSize = 0
  private var tailSize = 0
  /// How much was left out between head and tail, and the length of the line that says so.
  private var leftOut: Int64 = 0
  private var markerSize = 0

  init(id: Int64, directory: Directory, log: Log) {
    name = FileName("\(id).log")
    self.directory = directory
    self.log = log
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    if isBroken { return }
    do throws(SystemError) {
      try open()
      let head = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.headLimit - headSize))
      if !head.isEmpty {
        try file?.write(head)
        headSize += head.count
        tailStart += Int64(head.count)
      }
      let tail = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(head.count))
      if tail.isEmpty { return }
      try file?.write(tail)
      tailSize += tail.count
      // The file may hold twice as much tail as is kept, so that each byte is moved at most once.
      if tailSize >= 2 * Self.tailLimit { try shorten() }
    } catch {
      isBroken = true
      log.warning("job log not written: \(error)")
    }
  }

  /// Removes what is beyond the limits. To be called when no more output comes.
  mutating func finish() {
    if isBroken || tailSize <= Self.tailLimit { return }
    do throws(SystemError) { try shorten() } catch { log.warning("job log not shortened: \(error)") }
  }

  /// Moves the end of the output up so that it follows the beginning.
  private mutating func shorten() throws(SystemError) {
    let surplus = tailSize - Self.tailLimit
    guard let end = try file?.read(at: tailStart + Int64(surplus), count: Self.tailLimit) else { return }
    // From the first call on, a line in front of the tail says what is missing.
    leftOut += Int64(surplus)
    let marker = Array("\n[bobbin: \(leftOut) bytes are left out here]\n".utf8)
    let start = tailStart - Int64(markerSize)
    try file?.truncate(to: start)
    try file?.write(marker + end)
    markerSize = marker.count
    tailStart = start + Int64(marker.count)
    tailSize = end.count
  }

  private mutating func open() throws(SystemError) {
    if isOpen { return }
    // An earlier attempt of the same job may have written to the file.
    let opened = try directory.open(name, .append)
    tailStart = try opened.status().size
    file = consume opened
    isOpen = true
  }
}
