import Channels
import Posix

/// The configuration of a program that runs for long. It is read again when its file changes, and at SIGHUP.
struct ConfigurationWatch {
  /// How often the file's status is asked for: polls may be far more frequent.
  private static let interval = Duration.seconds(1)

  private let path: String
  private let log: Log
  private var current: Configuration
  /// The file as it was when it was read last; nil when there was none.
  private var lastRead: FileStatus?
  private var lastCheck = MonotonicTime.now()
  private var hangUps = Signals.hangUpCount

  /// - Parameters:
  ///   - path: the file, as it was named or found.
  ///   - current: what was read from it just now.
  init(_ path: String, _ current: Configuration, log: Log) {
    self.path = path
    self.current = current
    self.log = log
    // RACE: a change between the reading and this goes unnoticed if it is not seen here. So a file that has changed in
    // the last few seconds counts as not read.
    let status = Self.status(path)
    lastRead = status.flatMap { Timestamp.now() - $0.changed > .seconds(3) ? $0 : nil }
  }

  /// - Returns: the new configuration, if the file was read again and can be used. A fault is
  ///   reported once for each change and each SIGHUP, and the configuration in use stays.
  mutating func poll() -> Configuration? {
    let hangUps = Signals.hangUpCount
    let isAsked = hangUps != self.hangUps
    guard isAsked || .now() - lastCheck > Self.interval else { return nil }
    self.hangUps = hangUps
    lastCheck = .now()
    // Before the file is read: a change while it is read shows in the next poll.
    let status = Self.status(path)
    guard isAsked || status != lastRead else { return nil }
    lastRead = status
    do {
      let new = try ConfigurationFile.load(named: path)
      for (key, old, new) in [("spool", current.spool, new.spool), ("lock", current.lock, new.lock)]
      where new != old {
        log.error(
          "configuration not read again, the old one stays in force: a changed \"\(key)\" needs a restart",
          ["file": path, "old": old, "new": new])
        return nil
      }
      current = new
      log.info("configuration read again", ["file": path])
      return new
    } catch {
      let reason = (error as? CommandFailure)?.message ?? "\(error)"
      log.error(
        "configuration not read again, the old one stays in force: "
          + reason.split(separator: "\n").joined(separator: "; "), ["file": path])
      return nil
    }
  }

  private static func status(_ path: String) -> FileStatus? { try? PathQueries.targetStatus(path) }
}
