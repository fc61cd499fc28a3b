import Channels
import Posix
import Spool
import Text

/// The batch's own entries in the spool: the batch must be able to use them, and nobody else may change them.
extension SetupCheck {
  func spoolInside() -> [SetupProblem] {
    // If the spool is another user's, report only that; findings for the wrong user are noise.
    guard otherOwner == nil, let spool = followed(configuration.spool), spool.kind == .directory
    else { return [] }
    return SpoolFolder.allCases.flatMap { folder($0, in: spool) }
      + [SpoolDirectory.historyName, SpoolDirectory.historyIDName].flatMap {
        file("\(configuration.spool)/\($0)", in: spool)
      } + file(configuration.lock, in: spool)
      + configuration.channels.filter(\.enabled).flatMap {
        file("\(configuration.spool)/\(SpoolFolder.channels.rawValue)/\($0.id).lock", in: spool)
      }
  }

  /// The folder of a lock that is not in the spool itself: a run makes the lock, but not its folder.
  func lockFolder() -> [SetupProblem] {
    let path = configuration.lockFolder
    guard otherOwner == nil, path != configuration.spool else { return [] }
    guard let status = followed(path) else {
      return [
        SetupProblem(
          kind: .missing, path: path, message: "the folder of the lock is missing",
          remedy: "mkdir -p '\(path)' && chown \(user) '\(path)', or correct \"lock\" in the configuration")
      ]
    }
    if status.kind != .directory { return [notDirectory(path, "the folder of the lock")] }
    // A run only has to reach a lock that exists already.
    let isMade = followed(configuration.lock) != nil
    if !PathQueries.allows(isMade ? .execute : [.write, .execute], path) {
      return [unusable(path, status, "make the lock in it")]
    }
    if isWritableByOthers(status) {
      return [
        exposed(
          path, status, "others can replace the lock that is held",
          remedy: "chmod go-w '\(path)'")
      ]
    }
    return []
  }

  private func folder(_ folder: SpoolFolder, in spool: FileStatus) -> [SetupProblem] {
    let path = "\(configuration.spool)/\(folder.rawValue)"
    guard let status = try? PathQueries.status(path) else { return [] }
    if status.kind != .directory {
      return [
        SetupProblem(
          kind: .missing, path: path, message: "not a directory; a run sets it aside and makes one",
          remedy: "rm '\(path)'")
      ]
    }
    // Modes and owners below are those of what is mounted: whatever they are, it can't stay.
    if SpoolFolder.receiving.contains(folder), let boundary = boundary(path) {
      let isMount = boundary == .mount
      return [
        SetupProblem(
          kind: .mount, path: path,
          message: (isMount ? "on another mount than the spool" : "a subvolume of its own")
            + ", so that no trigger can be moved there by renaming",
          remedy: isMount
            ? "umount '\(path)', or mount the spool as a whole"
            : "mv '\(path)' '\(path).subvolume' && cp -a '\(path).subvolume' '\(path)'")
      ]
    }
    return access(to: path, status, in: spool, [.read, .write, .execute], mode: "750")
  }

  private func file(_ path: String, in spool: FileStatus) -> [SetupProblem] {
    guard let status = try? PathQueries.status(path) else { return [] }
    let isLock = path == configuration.lock
    if status.kind != .regular {
      return [
        SetupProblem(
          kind: .missing, path: path, message: "not a regular file; a run sets it aside and makes one",
          remedy: "mv '\(path)' '\(path).odd'")
      ]
    }
    var problems = access(
      to: path, status, in: spool, [.read, .write], mode: path.hasSuffix(".lock") ? "600" : "640")
    if isLock, status.mode & 0o066 != 0 {
      problems.append(
        exposed(
          path, status, "others can take the lock and keep every run from starting",
          remedy: "chmod 600 '\(path)'"))
    }
    return problems
  }

  private func access(
    to path: String, _ status: FileStatus, in spool: FileStatus, _ access: PathQueries.Access, mode: String
  ) -> [SetupProblem] {
    if !TrustedOwners(user: user, spoolOwner: spool.owner).contains(status.owner) {
      return [
        SetupProblem(
          kind: .permission, path: path, message: "made by somebody else (uid \(status.owner))",
          remedy: remedyForModes(path)
            ?? "chown \(spool.owner) '\(path)' if you trust what is in it; otherwise a run sets it aside")
      ]
    }
    if !PathQueries.allows(access, path) { return [unusable(path, status, "use it")] }
    if status.mode & 0o022 != 0, path != configuration.lock {
      return [
        exposed(
          path, status, "others can change what only the batch may change", remedy: "chmod \(mode) '\(path)'")
      ]
    }
    let group = CurrentProcess.effectiveGroup
    let isDropBox = spool.mode & 0o2020 == 0o2020 && spool.group != group
    if isDropBox, status.group == spool.group, status.mode & 0o070 != 0 {
      return [
        SetupProblem(
          kind: .permission, path: path,
          message: "the group that may submit (gid \(spool.group)) may also read it",
          remedy: remedyForModes(path) ?? "chgrp \(group) '\(path)' && chmod \(mode) '\(path)'")
      ]
    }
    return []
  }

  private func boundary(_ path: String) -> Directory.Boundary? {
    guard let spool = try? Directory(pathForLookup: configuration.spool),
      let folder = try? Directory(pathForLookup: path)
    else { return nil }
    return try? folder.boundary(to: spool)
  }

  /// A drop box in which the kernel does not say whether a submitter is still writing.
  func leases() -> [SetupProblem] {
    guard !mayLeaseFilesOfOthers, let spool = try? PathQueries.targetStatus(configuration.spool),
      spool.mode & 0o022 != 0
    else { return [] }
    let (pause, foreign) = (configuration.settle.brief, (configuration.settle * 5).brief)
    return [
      SetupProblem(
        kind: .warning, path: configuration.spool,
        message:
          "others add files here, and this process may not ask the kernel whether they are still writing to one:"
          + " it takes a file that has not changed for \(pause), an empty or one-word file after \(foreign)",
        remedy:
          "nothing to do under the units in etc/systemd, which give CAP_LEASE (AmbientCapabilities=CAP_LEASE);"
          + " under cron, let all submitters rename complete files into place")
    ]
  }
}
