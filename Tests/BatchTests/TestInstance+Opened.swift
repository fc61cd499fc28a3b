import Batch
import Channels
import Jobs
import Posix
import Spool
import TestSupport

extension TestInstance {
  /// This instance as the program opens it, with a log that a test can watch.
  ///
  /// - Parameter stop: by default, the batch is not asked to stop.
  func opened(
    stop: StopRequest = StopRequest { (nil, 0) }, write: @escaping @Sendable (String) -> Void = { _ in }
  ) throws -> Instance {
    try Instance(loadConfiguration(), log: Log(write: write), stop: stop)
  }

  func loadConfiguration() throws -> Configuration {
    try Configuration.parse(
      Array(directory.text("etc/bobbin.json5").utf8), file: configuration,
      reserved: ReservedNames(
        folders: Set(SpoolFolder.allCases.map(\.rawValue)), isFile: SpoolDirectory.isOwnFile))
  }
}
