import Text

/// What `etc/bobbin.json5` says, checked and complete: every path is absolute, every default filled in.
package struct Configuration: Sendable {
  /// The file that the configuration was read from.
  package let file: String
  /// The folder of that file, to which relative paths are relative.
  package let directory: String
  /// The spool directory.
  package let spool: String
  /// The directory in which every channel has a directory of its own.
  package let library: String
  /// The scheduler lock.
  package let lock: String
  /// The folder of the lock, which a run does not make unless it is the spool.
  package var lockFolder: String { PathText.folder(of: lock) }
  /// The age from which a trigger expires; nil for never.
  package let expireAfter: Duration?
  /// How long a file must not have changed to count as complete where the kernel does not tell whether it is open.
  package let settle: Duration
  /// How long every file must not have changed before it is taken.
  package let rest: Duration
  /// How long results and logs are kept; nil for ever.
  package let keepResults: Duration?
  /// How often a job that keeps being cut short is started in all, from 1.
  package let maxAttempts: Int
  /// The channels, in the order of the file.
  package let channels: [Channel]

  private let positionsByID: [Int64: Int]
  private let positionsByName: [String: Int]

  /// - Precondition: the channels' ids and names are unique, as the reader has checked.
  init(
    file: String, paths: PathsReader, expireAfter: Duration, settle: Duration, rest: Duration,
    keepResults: Duration,
    maxAttempts: Int, channels: [Channel]
  ) {
    self.file = file
    self.directory = paths.directory
    self.spool = paths.spool
    self.library = paths.library
    self.lock = paths.lock
    self.expireAfter = expireAfter == .zero ? nil : expireAfter
    self.settle = settle
    self.rest = rest
    self.keepResults = keepResults == .zero ? nil : keepResults
    self.maxAttempts = maxAttempts
    self.channels = channels
    self.positionsByID = Dictionary(uniqueKeysWithValues: zip(channels.map(\.id), channels.indices))
    self.positionsByName = Dictionary(uniqueKeysWithValues: zip(channels.map(\.name), channels.indices))
  }

  /// The channel with this id, if there is one. Takes constant time.
  package func channel(id: Int64) -> Channel? { positionsByID[id].map { channels[$0] } }

  /// The channel with this name, if there is one. Takes constant time.
  package func channel(name: String) -> Channel? { positionsByName[name].map { channels[$0] } }
}
