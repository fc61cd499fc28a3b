package import Posix
package import Spool

/// The history, `history.jsonl`: appended to by the batch and by commands that retire a trigger, read by everybody.
///
/// Others may rename or delete the file at any time (logrotate); the next append then begins a new file.
package final class HistoryFile {
  package static let name = SpoolDirectory.historyName

  private static let newline = UInt8(ascii: "\n")

  private let store: SpoolStore
  /// Nil until the first append.
  private var file: FileDescriptor?

  package init(_ store: SpoolStore) { self.store = store }

  /// Appends whole lines and returns once they are on the disk.
  ///
  /// The file only grows: programs that follow it (rsyslog, `tail -F`) take a file that has become shorter for a new one.
  /// A torn last line, left by a crash or a full disk, is ended with a newline. Readers skip it, unless nothing but the
  /// newline was missing.
  ///
  /// - Parameter lines: each with its newline.
  /// - Returns: whether a torn last line was ended first.
  /// - Throws: when the lines are not known to be on the disk. Some of them may be there all the same; recovery takes
  ///   none of them for durable before `confirm` has written it again. They must not be appended a second time.
  package func append(_ lines: [UInt8]) throws(SystemError) -> Bool {
    while true {
      if isClosed { try open() }
      // Nobody may end a line while another process is writing it.
      try lock(true)
      defer { try? lock(false) }
      guard try isCurrent() else {
        file = nil
        continue
      }
      let isTorn = try isTorn()
      // One write: whoever reads the file never finds the newline without what it makes room for.
      try write(isTorn ? [Self.newline] + lines : lines)
      return isTorn
    }
  }

  /// Makes the lines that others wrote durable, from an offset on, before anything is concluded from them.
  ///
  /// A sync alone is not enough: the kernel reports a failed sync once, and afterwards takes the pages for written. The
  /// same bytes are therefore written again, so that a sync that succeeds has written them.
  ///
  /// - Parameter file: the history, or a rotated history, open for reading and writing.
  static func confirm(_ file: borrowing FileDescriptor, from offset: Int64) throws(SystemError) {
    try file.lock()
    defer { try? file.unlock() }
    var position = offset
    while true {
      let bytes = try file.read(at: position, count: 1 << 18)
      if bytes.isEmpty { break }
      try file.write(bytes, at: position)
      position += Int64(bytes.count)
    }
    try file.syncData()
  }

  private var isClosed: Bool {
    switch file {
    case .none: true
    case .some: false
    }
  }

  private func open() throws(SystemError) {
    let isNew = try store.root.status(of: Self.name) == nil
    file = try store.open(Self.name, .append)
    if isNew { try store.root.sync() }
  }

  private func lock(_ take: Bool) throws(SystemError) {
    if take { try file?.lock() } else { try file?.unlock() }
  }

  private func write(_ lines: [UInt8]) throws(SystemError) {
    do throws(SystemError) { try file?.write(lines) } catch {
      // A full disk may have space for one byte. If not, the next append ends the line.
      if let torn = try? endsInLine(), torn { try? file?.write([Self.newline]) }
      throw error
    }
    try file?.syncData()
  }

  /// Whether the name still leads to the open file.
  private func isCurrent() throws(SystemError) -> Bool {
    guard let opened = try file?.status(), let named = try store.root.status(of: Self.name) else {
      return false
    }
    return opened.isSameFile(as: named)
  }

  private func size() throws(SystemError) -> Int64 { try file?.status().size ?? 0 }

  /// Whether the last line has not ended and nobody is writing it.
  ///
  /// RACE: with locking broken, another process may be writing that line right now. This waits while the line grows; a
  /// line that has not changed for a while is torn.
  private func isTorn() throws(SystemError) -> Bool {
    var size = try size()
    while try endsInLine() {
      CurrentProcess.pause(for: .milliseconds(50))
      let now = try self.size()
      if now == size { return true }
      size = now
    }
    return false
  }

  /// Whether the file has bytes after its last newline.
  private func endsInLine() throws(SystemError) -> Bool {
    let size = try size()
    return size > 0 ? try file?.read(at: size - 1, count: 1) != [Self.newline] : false
  }
}
