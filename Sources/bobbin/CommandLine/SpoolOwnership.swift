import Channels
import Posix

/// Keeps root from writing into another user's spool: the files that it makes there would be root's, and the spool's
/// owner could neither read nor move them.
enum SpoolOwnership {
  /// Called before anything is written.
  ///
  /// Root may work in a spool of its own, and in one whose owner this user namespace does not know (a folder that is
  /// mounted into a container): it cannot become that user.
  ///
  /// - Parameter isConfigurationNamed: whether the command line names the configuration; sudo(8) keeps neither
  ///   `$BOBBIN_CONFIG` nor `$HOME`.
  /// - Throws: a `CommandFailure` with the command to type instead.
  static func require(of configuration: Configuration, isConfigurationNamed: Bool) throws {
    guard CurrentProcess.effectiveUser == 0,
      let spool = try PathQueries.targetStatus(configuration.spool), spool.owner != 0,
      CurrentProcess.knows(user: spool.owner)
    else { return }
    var words = CommandLine.arguments
    if !isConfigurationNamed { words.insert(contentsOf: ["--config", configuration.file], at: 1) }
    let command = (prefix(spool) + words).map(quoted).joined(separator: " ")
    let owner = PasswordFile.userName(spool.owner) ?? "user \(spool.owner)"
    throw CommandFailure(
      .permission,
      "nothing was done: the spool '\(configuration.spool)' belongs to \(owner), who could not move the files that root "
        + "makes there. Type: \(command)")
  }

  /// What runs a command as the owner of the spool. runuser(1) takes names only.
  private static func prefix(_ spool: FileStatus) -> [String] {
    func isInstalled(_ program: String) -> Bool {
      PathQueries.program(program, searching: CurrentProcess.searchPath) != nil
    }
    let name = PasswordFile.userName(spool.owner)
    if isInstalled("sudo") { return ["sudo", "-u", name ?? "#\(spool.owner)"] }
    if let name { return ["runuser", "-u", name, "--"] }
    return ["setpriv", "--reuid", "\(spool.owner)", "--regid", "\(spool.group)", "--clear-groups", "--"]
  }

  /// A word as the shell reads it.
  private static func quoted(_ word: String) -> String {
    let safe = word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "-_./:=,@%+".utf8.contains(byte)
      }
    }
    return safe && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
