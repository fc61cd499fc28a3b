import Posix
import Spool
import TestSupport
import Testing

@Suite("What a spool must do without on other file systems")
struct FileSystemNoteTests {
  static let notes: [(type: String, text: String, remedy: String, isFault: Bool)] = [
    (
      "fuse.mergerfs", "once another disk has more room", "func.getattr=newest,ignorepponrename=true", false
    ),
    ("fuse.rclone", "triggers can be lost", "local file system", true),
    ("fuse.sshfs", "known to this mount alone", "local file system", false),
    ("fuse", "the program behind it decides", "local file system", false),
    ("fuseblk", "the program behind it decides", "local file system", false),
    ("fuse.gocryptfs", "the program behind it decides", "local file system", false),
    ("nfs", "locks on folders are known to this host alone", "local file system", false),
    ("nfs4", "locks on folders are known to this host alone", "local file system", false),
    ("cifs", "modes and owners are those of the mount", "local file system", false),
    ("smb3", "modes and owners are those of the mount", "local file system", false),
    ("vfat", "modes and owners are those of the mount", "local file system", false),
    ("exfat", "modes and owners are those of the mount", "local file system", false),
    ("9p", "locks may be known to this machine alone", "local file system", false),
    ("ecryptfs", "longer than 119 bytes", "shorter names", false),
  ]

  @Test(
    "Each file system that lacks something is described in one sentence, with what to do", arguments: notes)
  func described(type: String, text: String, remedy: String, isFault: Bool) throws {
    let notes = FileSystemNote.notes(on: FileSystem(type: type))
    #expect(notes.count == 1)
    let note = try #require(notes.first)
    #expect(note.text.contains(text))
    #expect(!note.text.contains(". ") && !note.text.hasSuffix("."))
    #expect(note.remedy.contains(remedy))
    #expect(note.isFault == isFault)
  }

  @Test(
    "Nothing is said of a local Linux file system",
    arguments: ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", ""])
  func local(type: String) { #expect(FileSystemNote.notes(on: FileSystem(type: type)) == []) }

  @Test("Names that are shorter than elsewhere are an extra note, on any file system")
  func shortNames() {
    #expect(FileSystemNote.notes(on: FileSystem(type: "ext4", nameLimit: 175)).map(\.types) == [["ext4"]])
    let notes = FileSystemNote.notes(on: FileSystem(type: "fuse.encfs", nameLimit: 189))
    #expect(notes.count == 2)
    #expect(notes.last?.text.contains("longer than 151 bytes") == true)
  }

  @Test("The type of a directory's file system is that of its mount")
  func type() throws {
    #expect(try FileSystem(of: Directory(path: "/proc")).type == "proc")
    #expect(try FileSystem(of: Directory(pathForLookup: "/dev/shm")) == FileSystem(type: "tmpfs"))
  }
}
