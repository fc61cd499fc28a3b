import Batch
import Channels
import Jobs
import Posix

/// What a command runs in: the configuration and the instance that the command line names.
struct CommandEnvironment {
  private let arguments: Arguments
  private let needs: Set<CommandNeed>

  init(_ arguments: Arguments, needs: Set<CommandNeed>) {
    self.arguments = arguments
    self.needs = needs
  }

  var log: Log { Log(isQuiet: arguments.isQuiet) }

  /// Finds and reads the configuration.
  func configuration() throws -> Configuration {
    try ConfigurationFile.load(named: arguments.value("config"))
  }

  /// As `configuration`, with the path that was named or found.
  func locatedConfiguration() throws -> (path: String, configuration: Configuration) {
    try ConfigurationFile.locateAndLoad(named: arguments.value("config"))
  }

  /// Opens the spool of the configuration.
  func instance() throws -> Instance { try instance(configuration()) }

  /// Opens the spool of a configuration.
  ///
  /// - Throws: a `CommandFailure` when root must not write to it, or when it is missing and the command does not make it.
  func instance(_ configuration: Configuration, stop: StopRequest = .bySignal) throws -> Instance {
    if needs.contains(.writesSpool) {
      try SpoolOwnership.require(of: configuration, isConfigurationNamed: arguments.value("config") != nil)
    }
    if needs.contains(.makesSpool) {
      return try Instance(configuration, log: log, makingSpool: true, stop: stop)
    }
    if let instance = try existingInstance(configuration) { return instance }
    throw CommandFailure(
      .cannotCreate,
      "there is no spool '\(configuration.spool)' yet; bobbin run makes it (or correct \"spool\" in "
        + "'\(configuration.file)')")
  }

  /// Opens the spool of a configuration; nil when it does not exist yet.
  func existingInstance(_ configuration: Configuration) throws(SystemError) -> Instance? {
    guard try PathQueries.targetStatus(configuration.spool) != nil else { return nil }
    return try Instance(configuration, log: log)
  }
}
