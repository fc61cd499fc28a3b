package import Posix
package import Spool

/// The history, `history.jsonl`: appended to by the batch and by commands that retire a trigger, read by everybody.
///
/// Others may rename or delete the file at any time (logrotate); the next append then begins a new file.
package final class HistoryFile {
  package static let name = SpoolDirectory.historyName
  /// Where logrotate puts the file by default.
  package static let rotatedName = FileName("history.jsonl.1")

  private let store: SpoolStore
  /// Nil until the first append.
  private var file: FileDescriptor?

  package init(_ store: SpoolStore) { self.store = store }

  /// Appends whole lines and returns once they are on the disk.
  ///
  /// - Parameter lines: each with its newline.
  /// - Returns: whether a torn last line, left by a crash or a full disk, was removed first. Its job had no durable
  ///   record, so nothing is lost with it.
  /// - Throws: when the lines are not known to be on the disk. The part that was written is removed.
  package func append(_ lines: [UInt8]) throws(SystemError) -> Bool {
    while true {
      if isClosed { try open() }
      // Nobody may repair the end of the file while another process appends there.
      try lock(true)
      defer { try? lock(false) }
      guard try isCurrent() else {
        file = nil
        continue
      }
      let (size, mended) = try mend()
      do throws(SystemError) {
        try write(lines)
      } catch {
        // A recovery must not find a record that may not be on the disk: the page cache would show it until the next
        // power cut. If the record cannot be removed, the cause is still reported. Lines that another process has
        // appended in between (locking is broken then) must not be removed.
        if let now = try? self.size(), now <= size + Int64(lines.count) { try? truncate(to: size) }
        throw error
      }
      return mended
    }
  }

  /// Makes the lines that others wrote durable, from an offset on, before anything is concluded from them.
  ///
  /// A sync alone is not enough: the kernel reports a failed sync once, and afterwards takes the pages for written. The
  /// same bytes are therefore written again, so that a sync that succeeds has written them.
  ///
  /// - Parameter name: the history, or a rotated history.
  package static func confirm(
    _ name: FileName, from offset: Int64, in store: SpoolStore
  ) throws(SystemError) {
    let file = try store.open(name, .update)
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
    try file?.write(lines)
    try file?.syncData()
  }

  private func truncate(to size: Int64) throws(SystemError) { try file?.truncate(to: size) }

  /// Whether the name still leads to the open file.
  private func isCurrent() throws(SystemError) -> Bool {
    guard let opened = try file?.status(), let named = try store.root.status(of: Self.name) else {
      return false
    }
    return opened.isSameFile(as: named)
  }

  private func size() throws(SystemError) -> Int64 { try file?.status().size ?? 0 }

  /// Removes a line without a newline from the end of the file.
  ///
  /// RACE: with locking broken, another process may be writing that line right now. This waits while the line grows; a
  /// line that has not changed for a while is torn.
  private func mend() throws(SystemError) -> (size: Int64, mended: Bool) {
    var size = try size()
    while true {
      let intact = try intactSize(of: size)
      if intact == size { return (size, false) }
      CurrentProcess.pause(for: .milliseconds(50))
      let now = try self.size()
      if now == size {
        try truncate(to: intact)
        return (intact, true)
      }
      size = now
    }
  }

  /// The size of the file up to its last newline, which is included.
  private func intactSize(of size: Int64) throws(SystemError) -> Int64 {
    var end = size
    while end > 0 {
      let start = max(0, end - 65_536)
      let bytes = try file?.read(at: start, count: Int(end - start)) ?? []
      if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) { return start + Int64(newline) + 1 }
      end = start
    }
    return 0
  }
}
