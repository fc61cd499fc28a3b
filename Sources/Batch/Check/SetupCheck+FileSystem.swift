import Channels
package import Posix
import Spool

/// What the file systems of the spool and of other paths do not promise.
extension SetupCheck {
  /// The file system of a directory, or of the folder of a file.
  package static func fileSystem(of path: String) -> FileSystem? {
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    for path in [path, folder, "/"] {
      if let directory = try? Directory(pathForLookup: path) { return try? FileSystem(of: directory) }
    }
    return nil
  }

  /// - Parameter areFaults: those because of which a spool must not be there, or the others.
  func fileSystemNotes(areFaults: Bool) -> [SetupProblem] {
    let path = configuration.spool
    guard let fileSystem = fileSystem(path) else { return [] }
    return FileSystemNote.notes(on: fileSystem).filter { $0.isFault == areFaults }.map { note in
      SetupProblem(
        kind: .fileSystem, path: path, message: "the spool is on \(fileSystem.type), where \(note.text)",
        remedy: note.remedy)
    }
  }

  /// What to do about a wrong mode or owner where chmod(1) and chown(1) change nothing; nil where they do.
  func remedyForModes(_ path: String) -> String? {
    guard let fileSystem = fileSystem(path), fileSystem.hasFixedModes else { return nil }
    let modes =
      ["cifs", "smb3"].contains(fileSystem.type)
      ? "forceuid,dir_mode=0755,file_mode=0700" : "dmask=0022,fmask=0077"
    return "modes and owners cannot be changed on \(fileSystem.type): mount it with -o uid=\(user),\(modes)"
  }
}
