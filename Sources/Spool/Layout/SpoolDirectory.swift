package import Posix

/// A spool directory as every user may see it: where triggers are dropped. `SpoolStore` is the batch's part of it.
package final class SpoolDirectory: Sendable {
  package let root: Directory
  /// False in a drop box: a user may add files, but not list them.
  package let isListable: Bool

  package init(path: String) throws(SystemError) {
    do throws(SystemError) {
      root = try Directory(path: path)
      isListable = true
    } catch {
      guard error.code == .accessDenied else { throw error }
      root = try Directory(pathForLookup: path)
      isListable = false
    }
  }

  package static let lockName = FileName("scheduler.lock")
  package static let historyName = FileName("history.jsonl")
  /// Holds the next history id.
  package static let historyIDName = FileName(".history-id")

  /// Whether a file of this name in the top level is Bobbin's own or comes with the spool. This includes the history
  /// under every name that logrotate(8) gives it.
  package static func isOwnFile(_ name: String) -> Bool {
    name.hasPrefix(historyName.description) || name == historyIDName.description || name == "README.md"
  }

  /// Names of temporary files begin with this. Other temporary dot-files belong to somebody else.
  package static let temporaryPrefix = ".bobbin-"

  /// Makes an empty file for as long as `body` takes, to learn what the file system does with one.
  package func withScratchFile<Result>(
    _ body: (FileName) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let name = FileName(
      "\(Self.temporaryPrefix)\(CurrentProcess.id)-\(MonotonicTime.now().nanoseconds)-scratch")
    _ = try root.open(name, .createNew).number
    // A leftover goes after 36 hours.
    defer { _ = try? root.remove(name) }
    return try body(name)
  }

  /// The 1-based position of a name among the pending triggers, in the order they will run.
  /// Reads the directory once and keeps nothing, so that a million files cost no memory.
  ///
  /// - Returns: the position that the name has, or would have if it is not there (any more).
  package func position(of name: FileName) throws(SystemError) -> Int {
    var before = 0
    try root.forEachName { other in
      if TriggerName.isTrigger(other), other.lexicographicallyPrecedes(name.bytes) { before += 1 }
    }
    return before + 1
  }
}
