package import Posix

/// The directories of a spool that belong to the batch user alone.
package enum SpoolFolder: String, CaseIterable, Sendable {
  case running, done, failed, expired, rejected, cancelled, logs, channels, state

  package var name: FileName { FileName(rawValue) }

  /// The folders that a trigger's own file is moved into.
  package static let receiving: [SpoolFolder] = [.running, .expired, .rejected, .cancelled]

  /// The folders in which a result document takes the place of the trigger.
  package static let results: [SpoolFolder] = [.done, .failed]
}
