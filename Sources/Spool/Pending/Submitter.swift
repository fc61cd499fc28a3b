package import Posix
import Text

/// Writes triggers into a spool, as `bobbin trigger` does.
package struct Submitter: ~Copyable {
  private let spool: SpoolDirectory
  private var last = Timestamp(seconds: 0)
  private var counter = 0

  package init(_ spool: SpoolDirectory) { self.spool = spool }

  /// Writes a trigger. When it returns, the whole trigger is on the disk; a reader never sees part of it.
  ///
  /// RACE: another process may take the same name in the same microsecond. The file is published without replacing
  /// anything, so the later process takes the next microsecond.
  ///
  /// - Returns: the name, which never sorts before an earlier name of this submitter.
  package mutating func submit(channel: Int64, user: String?, now: Timestamp = .now()) throws(SystemError)
    -> FileName
  {
    counter += 1
    let temporary = FileName(
      "\(SpoolDirectory.temporaryPrefix)\(CurrentProcess.id)-\(MonotonicTime.now().nanoseconds)-\(counter)")
    var time = Timestamp(seconds: now.seconds, nanoseconds: now.nanoseconds / 1_000 * 1_000)
    if time <= last { time = last + .microseconds(1) }
    let document = JSONValue.object([
      ("channel_id", .integer(channel)), ("user", .optional(user)),
      ("timestamp", .string(time.rfc3339(fractionDigits: 6))),
    ])
    do throws(SystemError) {
      // Closed before it is published, because a file that is open for writing is not claimed.
      try write(document.line, to: temporary)
      // For syncing the name later: a drop box itself cannot be opened, and a run may claim the file at once.
      let reader: FileDescriptor? = spool.isListable ? nil : try spool.root.open(temporary, .read)
      while true {
        let name = TriggerName.make(time, channel: channel)
        switch try spool.root.move(temporary, to: spool.root, as: name) {
        case .moved:
          last = time
          // The name must survive a power cut as well before anybody learns that the request is accepted.
          if let reader { try reader.syncFileSystem() } else { try spool.root.sync() }
          return name
        case .taken: time = time + .microseconds(1)
        case .vanished: throw SystemError("publish", spool.root.path(of: name), .noSuchFile)
        }
      }
    } catch {
      // The caller needs the first failure, not a failure to remove the leftover; leftovers are removed after 36 hours.
      _ = try? spool.root.remove(temporary)
      throw error
    }
  }

  private func write(_ content: [UInt8], to temporary: FileName) throws(SystemError) {
    let file = try spool.root.open(temporary, .createNew, mode: 0o644)
    // In a drop box the batch is another user and must be able to read it, whatever the umask is.
    if !spool.isListable { try file.setMode(0o644) }
    try file.write(content)
    try file.sync()
  }
}
