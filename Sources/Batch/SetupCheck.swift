package import Channels
import Posix
package import Spool

/// Something about the files and programs around a configuration that keeps the batch from working, or lets others in.
package struct SetupProblem: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// A program that a channel needs is not there.
    case program
    /// The batch's user may not do what it must, or others may do what they must not.
    case permission
    /// A directory that is missing and cannot be made.
    case missing
  }

  package let kind: Kind
  package let path: String
  package let message: String
  /// What to do about it.
  package let remedy: String

  package var json: JSONValue {
    .object([
      ("kind", .string(kind.rawValue)), ("path", .string(path)), ("message", .string(message)),
      ("remedy", .string(remedy)),
    ])
  }
}

/// Looks at what a configuration needs around it: `bobbin check`. Changes nothing.
package struct SetupCheck {
  private let configuration: Configuration
  private let user: UInt32

  package init(_ configuration: Configuration) {
    self.configuration = configuration
    user = CurrentProcess.effectiveUser
  }

  package func problems() -> [SetupProblem] {
    programs() + configurationFile() + directory(configuration.spool, "the spool") + spoolInside()
      + directory(configuration.library, "the library")
  }

  private func programs() -> [SetupProblem] {
    let searchPath = CurrentProcess.environment("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
    return configuration.channels.filter(\.enabled).compactMap { channel in
      let program = channel.arguments()[0]
      if Path.program(program, searching: searchPath) != nil { return nil }
      return SetupProblem(
        kind: .program, path: program,
        message: "channel \"\(channel.name)\" needs it, and it is no program that can be run",
        remedy: program.contains("/")
          ? "create it, or make it executable: chmod +x '\(program)'"
          : "install it, or give its full path in \"command\"; PATH is \(searchPath)")
    }
  }

  /// Who can write to it decides what is run.
  private func configurationFile() -> [SetupProblem] {
    guard let status = status(configuration.file), status.mode & 0o002 != 0 else { return [] }
    return [
      SetupProblem(
        kind: .permission, path: configuration.file,
        message: "everybody can change the commands that are run (mode \(octal(status.mode)))",
        remedy: "chmod o-w '\(configuration.file)'")
    ]
  }

  private func directory(_ path: String, _ what: String) -> [SetupProblem] {
    // A link to a directory, as `/var/spool` may be one on a NAS, counts as the directory.
    guard let status = (try? Directory(pathForLookup: path).status()) ?? status(path) else {
      // A run makes it, when it can.
      let parent = nearestExisting(above: path)
      if Path.allows([.write, .execute], parent) { return [] }
      return [
        SetupProblem(
          kind: .missing, path: path, message: "\(what) is missing and cannot be made in \(parent)",
          remedy:
            "mkdir -p '\(path)' as a user who may, and give it to the batch's user: chown \(user) '\(path)'")
      ]
    }
    if status.kind != .directory {
      return [
        SetupProblem(
          kind: .missing, path: path, message: "\(what) is not a directory",
          remedy: "move it away, or name another place in the configuration")
      ]
    }
    var problems: [SetupProblem] = []
    if !Path.allows([.read, .write, .execute], path) {
      problems.append(
        SetupProblem(
          kind: .permission, path: path,
          message: "the batch's user (uid \(user)) may not read and write \(what)",
          remedy: "chown \(user) '\(path)'"))
    }
    if status.mode & 0o022 != 0, status.mode & 0o1000 == 0 {
      problems.append(
        SetupProblem(
          kind: .permission, path: path,
          message: "others can remove and replace files in \(what) (mode \(octal(status.mode)))",
          remedy: path == configuration.spool
            ? "for a drop box: chmod 3730 '\(path)'; for one user: chmod 755 '\(path)'"
            : "chmod go-w '\(path)'"))
    }
    if path == configuration.spool, status.owner != user, user != 0 {
      problems.append(
        SetupProblem(
          kind: .permission, path: path,
          message: "\(what) belongs to uid \(status.owner), not to the batch's user (uid \(user))",
          remedy: "chown \(user) '\(path)', or run the batch as its owner"))
    }
    return problems
  }

  private func spoolInside() -> [SetupProblem] {
    guard let spool = try? Directory(pathForLookup: configuration.spool).status() else { return [] }
    var problems: [SetupProblem] = []
    for folder in SpoolFolder.allCases {
      let path = "\(configuration.spool)/\(folder.rawValue)"
      guard let status = status(path) else { continue }
      if status.kind != .directory {
        problems.append(
          SetupProblem(
            kind: .missing, path: path, message: "not a directory",
            remedy: "remove it: a run makes the directory"))
        continue
      }
      problems += ownership(of: path, status, in: spool)
      if status.mode & 0o022 != 0 {
        problems.append(
          SetupProblem(
            kind: .permission, path: path,
            message: "others can change what is the batch's alone (mode \(octal(status.mode)))",
            remedy: "chmod 00750 '\(path)'"))
      }
      if SpoolFolder.receiving.contains(folder), isOnAnotherMount(path) {
        problems.append(
          SetupProblem(
            kind: .missing, path: path,
            message: "on another mount than the spool, so that no trigger can be moved there by renaming",
            remedy: "umount '\(path)', or mount the spool as a whole"))
      }
    }
    for name in [Spool.historyName, Spool.historyIDName] {
      let path = "\(configuration.spool)/\(name)"
      if let status = status(path) { problems += ownership(of: path, status, in: spool) }
    }
    if let status = status(configuration.lock), status.mode & 0o066 != 0 {
      problems.append(
        SetupProblem(
          kind: .permission, path: configuration.lock,
          message: "others can take the lock and keep every run from starting (mode \(octal(status.mode)))",
          remedy: "chmod 600 '\(configuration.lock)'"))
    }
    return problems
  }

  /// What is the batch's own must belong to its user, and must not be readable for the submitters of a drop box.
  private func ownership(of path: String, _ status: FileStatus, in spool: FileStatus) -> [SetupProblem] {
    if ![user, 0, spool.owner].contains(status.owner) {
      return [
        SetupProblem(
          kind: .permission, path: path,
          message: "made by somebody else (uid \(status.owner)); a run sets it aside and makes its own",
          remedy: "mv '\(path)' elsewhere, or chown \(spool.owner) '\(path)' if you trust what is in it")
      ]
    }
    let isDropBox = spool.mode & 0o2020 == 0o2020
    if isDropBox, status.group == spool.group, status.mode & 0o070 != 0 {
      let mode = status.kind == .directory ? "00750" : "640"
      return [
        SetupProblem(
          kind: .permission, path: path,
          message: "the group that may submit (gid \(spool.group)) may read it, too",
          remedy: "chgrp \(CurrentProcess.effectiveGroup) '\(path)' && chmod \(mode) '\(path)'")
      ]
    }
    return []
  }

  private func isOnAnotherMount(_ path: String) -> Bool {
    guard let spool = try? Directory(pathForLookup: configuration.spool),
      let folder = try? Directory(pathForLookup: path), let isSame = try? folder.isOnMount(of: spool)
    else { return false }
    return !isSame
  }

  /// What cannot be examined is reported where it is needed, by the check of that directory.
  private func status(_ path: String) -> FileStatus? { (try? Path.status(path)).flatMap { $0 } }

  private func nearestExisting(above path: String) -> String {
    var path = path[...]
    while let slash = path.lastIndex(of: "/") {
      path = path[..<slash]
      if Path.exists(path.isEmpty ? "/" : String(path)) { break }
    }
    return path.isEmpty ? "/" : String(path)
  }

  private func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }
}
