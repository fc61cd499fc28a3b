package import Posix

/// The inside of a spool: the files and folders that only the batch user may touch.
///
/// In a drop box every member of a group may make files in the spool's top level, even under Bobbin's own names. So a
/// name alone is not trusted: the file or folder under it must be of the right kind and belong to the batch's user, the
/// spool's owner or root. Otherwise it is renamed to `.foreign-<name>`, which the spool's owner may do, and made again:
/// nobody can read, forge or block anything that way.
package final class SpoolStore: Sendable {
  package let spool: SpoolDirectory
  package let leases: Leases
  private let folders: [SpoolFolder: Directory]
  private let trusted: TrustedOwners

  /// What was found under Bobbin's own names and belonged to somebody else, in words, for a warning.
  package let setAside: [String]

  /// Opens everything, and makes what is missing, accessible to the batch user alone.
  ///
  /// - Throws: also when a folder that triggers are moved into is on another mount than the spool: a rename could not
  ///   reach the folder.
  package init(_ spool: SpoolDirectory) throws(SystemError) {
    self.spool = spool
    leases = Leases(spool)
    let trusted = try TrustedOwners(in: spool.root)
    self.trusted = trusted
    var folders: [SpoolFolder: Directory] = [:]
    var setAside: [String] = []
    var hasNew = false
    for folder in SpoolFolder.allCases {
      let (directory, isNew) = try Self.open(folder, in: spool.root, trusting: trusted, &setAside)
      folders[folder] = directory
      hasNew = hasNew || isNew
    }
    for folder in SpoolFolder.receiving {
      guard let directory = folders[folder], try !directory.isOnMount(of: spool.root) else { continue }
      throw SystemError("move triggers to", directory.path, .crossDevice)
    }
    for name in [SpoolDirectory.lockName, SpoolDirectory.historyName, SpoolDirectory.historyIDName] {
      guard let status = try spool.root.status(of: name), !trusted.covers(status, .regular) else {
        continue
      }
      setAside.append(try Self.setAside(name, in: spool.root))
    }
    // A trigger's claim must not be lost because its directory never reached the disk.
    if hasNew { try spool.root.sync() }
    self.folders = folders
    self.setAside = setAside
  }

  package var root: Directory { spool.root }

  /// Every folder was opened in `init`.
  package subscript(folder: SpoolFolder) -> Directory { folders[folder]! }

  /// Opens one of Bobbin's own files in the spool's top level, and makes it when it is missing.
  ///
  /// RACE: in a drop box somebody may make a file with that name first. The opened file is checked, not the name;
  /// somebody else's file is set aside, and the next try makes ours.
  package func open(_ name: FileName, _ access: Directory.Access) throws(SystemError) -> FileDescriptor {
    while true {
      let before = try root.status(of: name)
      do throws(SystemError) {
        let file = try root.open(name, access)
        let status = try file.status()
        if trusted.covers(status, .regular) {
          // A new file in a drop box belongs to the group of the drop box, which may not read this file.
          if before == nil, status.group != CurrentProcess.effectiveGroup {
            try file.setGroup(CurrentProcess.effectiveGroup)
          }
          return file
        }
      } catch {
        // Somebody else's link, directory or unreadable file must not stop us.
        guard let found = try root.status(of: name), !trusted.covers(found, .regular) else {
          throw error
        }
      }
      _ = try Self.setAside(name, in: root)
    }
  }

  /// Whether the spool's top level has a file with this name that was not put there by somebody else.
  package func owns(_ name: FileName) throws(SystemError) -> Bool {
    guard let status = try root.status(of: name) else { return false }
    return trusted.covers(status, .regular)
  }

  private static func open(
    _ folder: SpoolFolder, in root: Directory, trusting trusted: TrustedOwners, _ setAside: inout [String]
  ) throws(SystemError) -> (Directory, isNew: Bool) {
    while true {
      if let status = try root.status(of: folder.name), !trusted.covers(status, .directory) {
        setAside.append(try Self.setAside(folder.name, in: root))
      }
      let isNew = try root.makeDirectory(folder.name, mode: 0o750)
      let directory = try root.directory(folder.name)
      // RACE: somebody may have made the directory first.
      guard trusted.covers(try directory.status(), .directory) else { continue }
      if isNew, try directory.status().group != CurrentProcess.effectiveGroup {
        // The group is inherited from a drop box, as is the set-group-ID bit, which passes the group on.
        try directory.set(group: CurrentProcess.effectiveGroup, mode: 0o750)
      }
      return (directory, isNew)
    }
  }

  /// - Returns: what was done, in words.
  private static func setAside(_ name: FileName, in root: Directory) throws(SystemError) -> String {
    let other = try root.setAside(name)
    return "\(root.path(of: name)) was made by somebody else and is \(other.map { "now \($0)" } ?? "gone")"
  }
}
