package import Posix
import Spool

/// The files that were rotated away from the history and are still beside it.
///
/// logrotate(8) names them by number (`history.jsonl.1`), by date (`history.jsonl-20261127`), or as its configuration
/// says. So a name only has to begin like the history's, and the records say which file is newer. Files of other users
/// do not count: in a drop box anybody may make some.
package struct HistoryFiles {
  /// A history, found again by its inode when it is renamed meanwhile.
  package struct File {
    package let name: FileName
    package let status: FileStatus

    /// - Returns: nil when it is gone.
    package func open(in root: Directory, _ access: Directory.Access) throws(SystemError) -> FileDescriptor? {
      var names = [name]
      var isRelisted = false
      while true {
        for name in names {
          guard let file = try root.openIfPresent(name, access) else { continue }
          if try file.status().isSameFile(as: status) { return file }
        }
        if isRelisted { return nil }
        // RACE: a rotation has renamed it.
        names = try HistoryFiles.names(in: root) + [HistoryFile.name]
        names.removeAll { (try? root.status(of: $0))??.isSameFile(as: status) != true }
        isRelisted = true
      }
    }
  }

  private static let compressed = [
    ".gz", ".xz", ".bz2", ".zst", ".lz4", ".lzma", ".lzo", ".Z", ".br", ".zip", ".7z",
  ]

  /// Those with records, newest first.
  package private(set) var rotated: [File] = []
  /// Those that hold something, but not a record that can be read here: most are compressed.
  package private(set) var unreadable: [File] = []

  /// - Parameter root: the spool.
  package init(in root: Directory) throws(SystemError) {
    let trusted = try TrustedOwners(in: root)
    var found: [(file: File, newest: Int64)] = []
    for name in try Self.names(in: root) {
      guard let status = try root.status(of: name), trusted.covers(status, .regular), status.size > 0 else {
        continue
      }
      let file = File(name: name, status: status)
      if let newest = try Self.newestID(of: file, in: root) {
        found.append((file, newest))
      } else {
        unreadable.append(file)
      }
    }
    found.sort { ($0.newest, $0.file.status.modified) > ($1.newest, $1.file.status.modified) }
    rotated = found.map(\.file)
  }

  private static func names(in root: Directory) throws(SystemError) -> [FileName] {
    let history = HistoryFile.name.bytes
    var names: [FileName] = []
    try root.forEachName {
      // `history.jsonl.json` is a trigger.
      if $0.count > history.count, $0.starts(with: history), !TriggerName.isTrigger($0) {
        names.append(FileName(bytes: Array($0)))
      }
    }
    return names
  }

  /// The id of the last record; nil when no record can be read.
  private static func newestID(of file: File, in root: Directory) throws(SystemError) -> Int64? {
    if let name = file.name.text, compressed.contains(where: { name.hasSuffix($0) }) { return nil }
    var id: Int64?
    do throws(SystemError) {
      guard let opened = try file.open(in: root, .read) else { return nil }
      let reach = Int64(HistoryReader.lineLimit)
      _ = try HistoryReader.forEachLineFromEnd(of: opened, reach: reach) { line in
        id = HistoryReader.id(line) == nil ? nil : HistoryReader.record(line)?.id
        return id == nil
      }
    } catch { if !error.isRefusal { throw error } }
    return id
  }
}
