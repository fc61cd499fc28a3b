package import Channels
package import Posix
package import Spool

/// What every operation on a spool needs: the configuration, the directories, and a log.
package struct Instance: Sendable {
  package let configuration: Configuration
  package let spool: SpoolDirectory
  package let log: Log
  package let owner: ProcessIdentity

  /// Opens the spool of a configuration.
  ///
  /// - Parameter makingSpool: makes the spool directory when it is missing.
  package init(_ configuration: Configuration, log: Log, makingSpool: Bool = false) throws(SystemError) {
    self.configuration = configuration
    self.log = log
    if makingSpool { try Path.makeDirectories(configuration.spool) }
    spool = try SpoolDirectory(path: configuration.spool)
    owner = .current()
  }

  /// Where the scheduler lock is: in the spool, unless the configuration says otherwise.
  package func lockFile() throws(SystemError) -> SchedulerLockFile {
    let path = configuration.lock
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let (folder, name) = (String(path[..<slash]), String(path[path.index(after: slash)...]))
    if folder == configuration.spool { return SchedulerLockFile(directory: spool.root, name: FileName(name)) }
    return SchedulerLockFile(directory: try Directory(path: folder), name: FileName(name))
  }

  /// Opens what is the batch's own in the spool, and reports what others had put in its place.
  package func store() throws(SystemError) -> SpoolStore {
    let store = try SpoolStore(spool)
    for text in store.setAside { log.warning(text) }
    return store
  }

  /// What processes that were killed left claimed, for the next run to recover. Only looks.
  func abandonedClaims() throws(SystemError) -> [Claim] {
    guard try spool.root.status(of: SpoolFolder.running.name)?.kind == .directory else { return [] }
    let running = try spool.root.directory(SpoolFolder.running.name)
    return try AbandonedClaims(in: running, observer: owner, isForRecovery: false).claims
  }

  package func inspector() -> Inspector { Inspector(spool.root, settle: configuration.settle) }

  /// The channel that a trigger means.
  ///
  /// - Returns: the reason in words when there is none, or when it is disabled.
  package func resolve(_ references: [ChannelReference]) -> ChannelResolution {
    var found: [Channel] = []
    for reference in references {
      let channel =
        switch reference {
        case .id(let id): configuration.channel(id: Int(id))
        case .name(let name): configuration.channel(name: name)
        }
      guard let channel else { return .unknown("no channel \(reference) in \(configuration.file)") }
      found.append(channel)
    }
    guard let channel = found.first else { return .unknown("no channel named") }
    if found.contains(where: { $0.id != channel.id }) {
      return .unknown(
        "\(references.map(\.description).joined(separator: " and ")) are two different channels")
    }
    if !channel.enabled {
      return .disabled(channel, "channel \"\(channel.name)\" is disabled in \(configuration.file)")
    }
    return .found(channel)
  }
}

package enum ChannelResolution: Sendable {
  case found(Channel)
  case disabled(Channel, String)
  case unknown(String)
}
