@testable import Batch
import Channels
import Posix
import TestSupport

extension TestInstance {
  /// The batch of this instance, as the program makes it, with a log that a test reads along.
  func batch(write: @escaping @Sendable (String) -> Void = { _ in }) throws -> Instance {
    try Instance(loadConfiguration(), log: Log(write: write))
  }

  func loadConfiguration() throws -> Configuration {
    try Configuration.parse(Array(directory.text("etc/bobbin.json5").utf8), file: configuration)
  }
}
