package import Channels
package import Posix
import Text

/// Checks what a configuration needs around it: `bobbin check`. Changes nothing.
///
/// The programs and the directories are here; what is inside the spool is in `SetupCheck+Spool`, and what others could
/// write to in `SetupCheck+Exposures`.
package struct SetupCheck {
  let configuration: Configuration
  let user: UInt32
  /// The spool's owner, if the check is run by another user who is not root: most likely the wrong user runs it, and
  /// that user's permissions say nothing about the batch.
  let otherOwner: UInt32?
  /// The file system on which a path is; nil when that cannot be found out.
  let fileSystem: @Sendable (String) -> FileSystem?

  /// Whether the kernel tells this process whether another user has a file open.
  let mayLeaseFilesOfOthers: Bool

  /// - Parameters:
  ///   - fileSystem: another answer than the system's, for tests.
  ///   - mayLeaseFilesOfOthers: the same.
  package init(
    _ configuration: Configuration, fileSystem: @escaping @Sendable (String) -> FileSystem? = Self.fileSystem,
    mayLeaseFilesOfOthers: Bool = CurrentProcess.mayLeaseFilesOfOthers
  ) {
    self.configuration = configuration
    self.mayLeaseFilesOfOthers = mayLeaseFilesOfOthers
    self.fileSystem = fileSystem
    let user = CurrentProcess.effectiveUser
    self.user = user
    let owner = (try? PathQueries.targetStatus(configuration.spool))?.owner
    otherOwner = user == 0 || owner == user ? nil : owner
  }

  package func problems() -> [SetupProblem] {
    wrongUser() + programs() + exposures() + fileSystemNotes(areFaults: true)
      + directory(configuration.spool, "the spool") + spoolInside() + lockFolder()
      + directory(configuration.library, "the library", isMade: false) + channelDirectories()
  }

  /// What most likely is not as somebody wants it, although the batch works.
  package func warnings() -> [SetupProblem] { fileSystemNotes(areFaults: false) + channelNames() + leases() }

  private func wrongUser() -> [SetupProblem] {
    guard let owner = otherOwner else { return [] }
    func described(_ user: UInt32) -> String {
      PasswordFile.userName(user).map { "\($0) (uid \(user))" } ?? "uid \(user)"
    }
    let name = PasswordFile.userName(owner)
    return [
      SetupProblem(
        kind: .permission, path: configuration.spool,
        message: "the spool belongs to \(described(owner)), but this command is run by \(described(user))",
        remedy: "run it as \(name ?? "uid \(owner)"): sudo -u \(name ?? "'#\(owner)'") bobbin"
          + " --config '\(configuration.file)' check; or, if \(described(user)) is the batch's user: "
          + (remedyForModes(configuration.spool) ?? "chown \(user) '\(configuration.spool)'"))
    ]
  }

  private func programs() -> [SetupProblem] {
    let searchPath = CurrentProcess.searchPath
    var problems: [SetupProblem] = []
    for channel in configuration.channels where channel.enabled {
      let program = channel.arguments()[0]
      if PathQueries.program(program, searching: searchPath) != nil { continue }
      problems.append(
        SetupProblem(
          kind: .program, path: program,
          message: "channel \"\(channel.name)\" needs it, and it is not a program that can be run",
          remedy: program.contains("/")
            ? "create it, or make it executable: \(remedyForModes(program) ?? "chmod +x '\(program)'")"
            : "install it, or give its full path in \"command\"; PATH is \(searchPath)"))
    }
    return problems
  }

  private func directory(_ path: String, _ what: String, isMade: Bool = true) -> [SetupProblem] {
    let found: FileStatus?
    do { found = try PathQueries.targetStatus(path) } catch {
      return [
        SetupProblem(
          kind: .permission, path: path, message: "\(what) cannot be examined: \(error)",
          remedy:
            "let the batch's user (uid \(user)) enter the directories above it, or run this as that user")
      ]
    }
    guard let status = found else {
      if !isMade {
        return [
          SetupProblem(
            kind: .missing, path: path, message: "\(what) is missing, and a run does not make it",
            remedy: "mount its disk, or make it once: mkdir -p '\(path)' && chown \(user) '\(path)'")
        ]
      }
      let parent = nearestExisting(above: path)
      if otherOwner != nil || PathQueries.allows([.write, .execute], parent) { return [] }
      return [
        SetupProblem(
          kind: .missing, path: path, message: "\(what) is missing and cannot be made in \(parent)",
          remedy: "mkdir -p '\(path)' && chown \(user) '\(path)', as a user who has permission")
      ]
    }
    if status.kind != .directory { return [notDirectory(path, what)] }
    var problems: [SetupProblem] = []
    if otherOwner == nil, !PathQueries.allows([.read, .write, .execute], path) {
      problems.append(unusable(path, status, "read and write \(what)"))
    }
    if status.mode & 0o022 != 0, status.mode & 0o1000 == 0 {
      problems.append(
        exposed(
          path, status, "others can remove and replace files in \(what)",
          remedy: path == configuration.spool
            ? "chmod 755 '\(path)' (for a drop box instead: chgrp SUBMITTERS '\(path)' && chmod 3730 '\(path)')"
            : "chmod go-w '\(path)'"))
    }
    return problems
  }

  /// The channel directories that exist already. A job that somebody else ran (root, by hand) may have made one.
  private func channelDirectories() -> [SetupProblem] {
    if otherOwner != nil { return [] }
    return configuration.channels.filter(\.enabled).compactMap { channel in
      let path = channel.directory
      guard let status = followed(path) else { return nil }
      if status.kind != .directory {
        return notDirectory(path, "the directory of channel \"\(channel.name)\"")
      }
      if PathQueries.allows([.read, .write, .execute], path) { return nil }
      return unusable(path, status, "read and write the directory of channel \"\(channel.name)\"")
    }
  }

  /// yt-dlp expands some characters in paths and output templates, so a channel's files would go to another folder than
  /// its own. Other programs take a name as it is.
  private func channelNames() -> [SetupProblem] {
    configuration.channels.filter(\.enabled).compactMap { channel in
      let program = PathText.split(channel.command[0]).name
      guard ["yt-dlp", "youtube-dl"].contains(program), let reason = Self.expansion(of: channel.name) else {
        return nil
      }
      return SetupProblem(
        kind: .warning, path: configuration.file,
        message: "channel \(channel.name.quoted()): \(reason), so files may not be where the channel's are",
        remedy: "give the channel another name; its folder in the library has the channel's name")
    }
  }

  /// What yt-dlp does to a name, in words; nil for one that it leaves as it is.
  private static func expansion(of name: String) -> String? {
    if namesVariable(name) {
      return "yt-dlp replaces $NAME by a variable in paths"
    }
    if name.hasPrefix("~") { return "yt-dlp replaces a ~ at the beginning of a path by a home directory" }
    if name.contains("%(") { return "yt-dlp takes %( for a field in an output template" }
    if name.hasSuffix(" ") || name.hasSuffix(".") {
      return "yt-dlp removes a space or a full stop from the end of a folder's name"
    }
    return nil
  }

  /// Whether there is `$NAME` or `${NAME}` in a name, by the rule of Python's `os.path.expandvars`.
  private static func namesVariable(_ name: String) -> Bool {
    name.split(separator: "$", omittingEmptySubsequences: false).dropFirst().contains { rest in
      guard let first = rest.first else { return false }
      return first.isLetter || first.isNumber || first == "_" || (first == "{" && rest.contains("}"))
    }
  }

  func notDirectory(_ path: String, _ what: String) -> SetupProblem {
    SetupProblem(
      kind: .missing, path: path, message: "\(what) is not a directory",
      remedy: "move it away, or name another place in the configuration")
  }

  /// The status of the target of a path, with links followed: `/var/spool` may be a link on a NAS. A path that cannot
  /// be examined is reported where it is needed, by the check of that directory.
  func followed(_ path: String) -> FileStatus? { try? PathQueries.targetStatus(path) }

  private func nearestExisting(above path: String) -> String {
    var path = path[...]
    while let slash = path.lastIndex(of: "/") {
      path = path[..<slash]
      if PathQueries.exists(path.isEmpty ? "/" : String(path)) { break }
    }
    return path.isEmpty ? "/" : String(path)
  }

  /// The batch's user lacks a permission that it needs for a file or directory.
  func unusable(_ path: String, _ status: FileStatus, _ what: String) -> SetupProblem {
    SetupProblem(
      kind: .permission, path: path, message: "the batch's user (uid \(user)) may not \(what)",
      remedy: remedyForModes(path)
        ?? (status.owner == user ? "chmod u+rwX '\(path)'" : "chown \(user) '\(path)'"))
  }

  /// The mode of a file or directory gives others a permission that they must not have.
  func exposed(_ path: String, _ status: FileStatus, _ what: String, remedy: String) -> SetupProblem {
    SetupProblem(
      kind: .permission, path: path, message: "\(what) (mode 0\(String(status.mode, radix: 8)))",
      remedy: remedyForModes(path) ?? remedy)
  }
}
