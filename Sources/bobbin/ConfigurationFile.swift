import Channels
import Posix
import Spool
import Text

/// Finds and reads the configuration.
enum ConfigurationFile {
  private static let sizeLimit = 4 << 20

  /// What to do about a configuration, or a place for one, that this user may not read.
  static let permissionRemedy = "run it as a user who may read it, or name another with --config FILE"

  /// - Parameter named: the value of `--config`.
  /// - Throws: a `CommandFailure` that lists the places that were searched, or every fault in the file.
  static func load(named: String?) throws -> Configuration { try locateAndLoad(named: named).configuration }

  /// As `load`.
  ///
  /// - Returns: also the path as it was named or found: links in it may lead elsewhere later.
  static func locateAndLoad(named: String?) throws -> (path: String, configuration: Configuration) {
    if named == "" { throw CommandFailure(.usage, "--config needs a value: --config FILE") }
    let variable = CurrentProcess.environment("BOBBIN_CONFIG")
    let origin = named != nil ? " that --config names" : variable != nil ? " that $BOBBIN_CONFIG names" : ""
    func failure(_ status: ExitStatus, _ problem: String) -> CommandFailure {
      CommandFailure(status, "the configuration\(origin) cannot be used: \(problem)")
    }
    do {
      let path = try named ?? variable ?? find()
      guard let status = try PathQueries.targetStatus(path) else {
        throw SystemError("open", path, .noSuchFile)
      }
      // A FIFO would make the program wait, and its content would not be in a folder.
      guard status.kind == .regular else { throw failure(.configuration, "'\(path)' is not a regular file") }
      let file = try resolved(path)
      let configuration = try Configuration.parse(
        PathQueries.read(file, limit: sizeLimit), file: file,
        reserved: ReservedNames(
          folders: Set(SpoolFolder.allCases.map(\.rawValue)), isFile: SpoolDirectory.isOwnFile))
      return (path, configuration)
    } catch let error as SystemError {
      if error.isRefusal { throw failure(.permission, "\(error) (\(permissionRemedy))") }
      throw failure(.configuration, error.description)
    } catch let error as ConfigurationErrors {
      throw CommandFailure(.configuration, error.description)
    }
  }

  /// The file's absolute path, with its folder's symbolic links and `..` resolved: whichever path leads to it, one file
  /// is one configuration, with one spool. A file that is itself a link stays a link.
  private static func resolved(_ path: String) throws(SystemError) -> String {
    let (folder, name) = PathText.split(path)
    return PathText.join(try PathQueries.resolved(folder), name)
  }

  /// The first place that has a configuration.
  private static func find() throws -> String {
    let places = places()
    guard let found = try places.first(where: { try PathQueries.targetStatus($0) != nil }) else {
      throw CommandFailure(
        .configuration,
        "no configuration found: looked for \(places.joined(separator: ", ")); name one with --config FILE")
    }
    return found
  }

  /// Where a configuration is searched for, in this order.
  ///
  /// A person's own file comes before the machine's. For a system user it is the other way round: cron starts a job in
  /// the home directory, so both of the other places are in it, and the home of a service is not guarded as a person
  /// guards theirs.
  private static func places() -> [String] {
    // Without a working directory (it may have been removed) nothing is there.
    let directory = (try? CurrentProcess.directory()) ?? "."
    var own = [PathText.join(directory, "etc/bobbin.json5")]
    if let home = CurrentProcess.environment("XDG_CONFIG_HOME") {
      own.append("\(home)/bobbin/bobbin.json5")
    } else if let home = CurrentProcess.environment("HOME") {
      own.append("\(home)/.config/bobbin/bobbin.json5")
    }
    let machine = "/etc/bobbin/bobbin.json5"
    return PasswordFile.isSystemUser(CurrentProcess.effectiveUser) ? [machine] + own : own + [machine]
  }
}
