package import Posix

/// Removes files that have been kept long enough: results, logs, retired files, and temporary files that a crash left.
/// Triggers and claims are never touched.
package struct ResultRetention {
  private static let temporaryAge = Duration.seconds(36 * 3_600)

  package let store: SpoolStore
  /// Nil keeps results for ever.
  package let keepResults: Duration?
  package let now: Timestamp

  package init(store: SpoolStore, keepResults: Duration?, now: Timestamp) {
    self.store = store
    self.keepResults = keepResults
    self.now = now
  }

  /// - Returns: how many files were removed.
  /// - Throws: the first failure, after everything else was tried.
  package func perform() throws(SystemError) -> Int {
    var sweep = Sweep()
    for directory in [store.root, store[.done], store[.failed]] {
      sweep.remove(
        try names(in: directory) { $0.starts(with: SpoolDirectory.temporaryPrefix.utf8) }, from: directory
      ) {
        $0.kind == .regular && now - $0.modified > Self.temporaryAge
      }
    }
    if let keepResults {
      for folder in [SpoolFolder.done, .failed, .logs] {
        let names = try names(in: store[folder]) { $0.first != UInt8(ascii: ".") }
        sweep.remove(names, from: store[folder]) { now - $0.modified > keepResults }
      }
      // These are the dropped files themselves, with the times they had; the change time says when they came here.
      for folder in [SpoolFolder.expired, .rejected, .cancelled] {
        let names = try names(in: store[folder]) { $0.first != UInt8(ascii: ".") }
        sweep.remove(names, from: store[folder]) { now - $0.changed > keepResults }
      }
    }
    if let failure = sweep.failure { throw failure }
    return sweep.removed
  }

  private func names(
    in directory: Directory, where isWanted: (UnsafeRawBufferPointer) -> Bool
  ) throws(SystemError) -> [FileName] {
    var names: [FileName] = []
    try directory.forEachName { if isWanted($0) { names.append(FileName(bytes: Array($0))) } }
    return names
  }

  private struct Sweep {
    var removed = 0
    var failure: SystemError?

    /// A file that cannot be removed does not keep the others from being removed.
    mutating func remove(_ names: [FileName], from directory: Directory, where isOld: (FileStatus) -> Bool) {
      for name in names {
        do throws(SystemError) {
          guard let status = try directory.status(of: name), isOld(status) else { continue }
          // A rejected directory that is not empty holds somebody's files: it stays until a person removes it.
          let isGone =
            status.kind == .directory ? try directory.removeDirectory(name) : try directory.remove(name)
          removed += isGone ? 1 : 0
        } catch { failure = failure ?? error }
      }
    }
  }
}
