package import Posix
package import Spool

/// Removes what has been kept long enough: results, logs, files that were given up, and temporary files that a crash
/// left. Triggers and claims are never touched.
package struct Tidying {
  private static let temporaryAge = Duration.seconds(36 * 3_600)

  package let interior: SpoolInterior
  /// Nil keeps results for ever.
  package let keepResults: Duration?
  package let now: Timestamp

  package init(interior: SpoolInterior, keepResults: Duration?, now: Timestamp) {
    self.interior = interior
    self.keepResults = keepResults
    self.now = now
  }

  /// - Returns: how many files were removed.
  package func perform() throws(SystemError) -> Int {
    var removed = try removeTemporaries(interior.root)
    for folder in [SpoolFolder.done, .failed] { removed += try removeTemporaries(interior[folder]) }
    guard let keepResults else { return removed }
    for folder in [SpoolFolder.done, .failed, .logs] {
      removed += try remove(from: interior[folder]) { now - $0.modified > keepResults }
    }
    // These are the files as they were dropped, with the times they had; the change time says when they came here.
    for folder in [SpoolFolder.expired, .rejected, .cancelled] {
      removed += try remove(from: interior[folder]) { now - $0.changed > keepResults }
    }
    return removed
  }

  private func removeTemporaries(_ directory: Directory) throws(SystemError) -> Int {
    let prefix = Array(Spool.temporaryPrefix.utf8)
    var names: [FileName] = []
    try directory.forEachName { if $0.starts(with: prefix) { names.append(FileName(bytes: Array($0))) } }
    var removed = 0
    for name in names {
      guard let status = try directory.status(of: name), status.kind == .regular,
        now - status.modified > Self.temporaryAge
      else { continue }
      removed += try directory.remove(name) ? 1 : 0
    }
    return removed
  }

  /// A directory that was rejected with content is somebody's files: it stays until a person removes it.
  private func remove(
    from directory: Directory, where isOld: (FileStatus) -> Bool
  ) throws(SystemError) -> Int {
    var removed = 0
    for name in try directory.names() where name.bytes.first != UInt8(ascii: ".") {
      guard let status = try directory.status(of: name), isOld(status) else { continue }
      if status.kind == .directory {
        removed += try directory.removeDirectory(name) ? 1 : 0
      } else {
        removed += try directory.remove(name) ? 1 : 0
      }
    }
    return removed
  }
}
