package import Channels
import Jobs
package import Posix

extension Instance {
  /// How long triggers that a run had to leave pending are left alone.
  static let deferredInterval = Duration.seconds(30)

  /// Polls the spool and drains it as soon as a trigger has settled, until a signal asks to stop. While nothing changes a
  /// poll is one `fstat(2)`, or now and then a `stat(2)` of the path, which costs more and tells whether the path still
  /// leads to the spool.
  ///
  /// - Parameter newConfiguration: asked before each poll, never while a run is active: a configuration with the same
  ///   spool and lock, to be used from now on; nil to go on with the one in use.
  package func watch(
    every interval: Duration, newConfiguration: () -> Configuration? = { nil }
  ) throws(SystemError) -> WatchResult {
    var watcher = try SpoolWatcher(self)
    var childEnds = -1
    while true {
      // No job runs between two polls, so whoever ended is an orphan, as process 1 of a container is left many.
      if Signals.childEndCount != childEnds {
        childEnds = Signals.childEndCount
        try Children.reapAll()
      }
      if let signal = stop.signal { return .stopped(signal: signal) }
      if let configuration = newConfiguration() { watcher.use(configuration) }
      guard try watcher.poll() else { return .spoolReplaced }
      if stop.signal == nil { try Poll.wait(until: .now() + interval) }
    }
  }
}
