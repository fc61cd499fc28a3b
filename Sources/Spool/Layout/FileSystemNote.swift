package import Posix

/// What a spool must do without on a kind of file system.
package struct FileSystemNote: Sendable, Equatable {
  /// Types as mount(8) names them; one that ends in a full stop stands for all that begin so.
  package let types: [String]
  /// A sentence without a subject: what follows "the spool is on …, where".
  package let text: String
  package let remedy: String
  /// Whether a spool must not be there at all.
  package let isFault: Bool

  private init(_ types: [String], _ text: String, remedy: String = local, isFault: Bool = false) {
    self.types = types
    self.text = text
    self.remedy = remedy
    self.isFault = isFault
  }

  /// What is to be known of a file system; empty for a local Linux file system.
  package static func notes(on fileSystem: FileSystem) -> [FileSystemNote] {
    let note = table.first { $0.covers(fileSystem.type) }
    let limit = min(fileSystem.nameLimit, nameLimits[fileSystem.type] ?? .max)
    return (note.map { [$0] } ?? []) + (limit < 255 ? [shortNames(fileSystem.type, limit)] : [])
  }

  /// What to do about a rename that fails as one between two file systems, where the kind of file system explains it.
  package static func remedyForRename(on fileSystem: FileSystem) -> String? {
    fileSystem.type == mergerfs.types[0] ? "on mergerfs: \(mergerfs.remedy)" : nil
  }

  private func covers(_ type: String) -> Bool {
    types.contains { $0 == type || ($0.hasSuffix(".") && type.hasPrefix($0)) }
  }

  private static let local = "put the spool on a local file system: the library may stay where it is"

  private static let mergerfs = FileSystemNote(
    ["fuse.mergerfs"],
    "with its defaults no trigger can be claimed once another disk has more room, because a rename fails there",
    remedy: "mount it with func.getattr=newest,ignorepponrename=true, or put the spool on one of its disks")

  /// The first entry that covers a type counts.
  package static let table: [FileSystemNote] = [
    mergerfs,
    FileSystemNote(
      ["fuse.rclone"],
      "a rename is a copy and a deletion, and a file that was synced may not have been stored: triggers can be lost",
      isFault: true),
    FileSystemNote(
      ["fuse.sshfs"],
      "locks, and whether somebody is writing to a file, are known to this mount alone: only one host may run the batch"
    ),
    FileSystemNote(
      ["fuse", "fuseblk", "fuse."],
      "the program behind it decides whether a sync reaches a disk and whether another mount sees a lock"),
    FileSystemNote(
      ["nfs", "nfs4"],
      "the locks on folders are known to this host alone, and a lease may be refused though nobody writes: only one"
        + " host may run the batch, and anything but an object waits for \"settle\""),
    FileSystemNote(
      ["cifs", "smb3"],
      "modes and owners are those of the mount, and a lease may be refused though nobody writes: others cannot be kept"
        + " out by modes, and anything but an object waits for \"settle\""),
    FileSystemNote(
      ["vfat", "msdos"],
      "modes and owners are those of the mount, and nothing is journalled: a power cut may damage what was synced"
    ),
    FileSystemNote(
      ["exfat"],
      "modes and owners are those of the mount, and nothing is journalled: a power cut may damage what was synced"
    ),
    FileSystemNote(
      ["9p"],
      "locks may be known to this machine alone, and a sync may reach no more than the memory of the host"),
  ]

  /// Shorter than what the file system says, where that is not true.
  private static let nameLimits = ["ecryptfs": 143, "fuse.encfs": 175]

  private static func shortNames(_ type: String, _ limit: Int) -> FileSystemNote {
    FileSystemNote(
      [type],
      "names have at most \(limit) bytes: a trigger whose name is longer than \(limit - ClaimName.prefixLimit) bytes may"
        + " stay pending, because a claim needs room before it", remedy: "use shorter names, or \(local)")
  }
}
