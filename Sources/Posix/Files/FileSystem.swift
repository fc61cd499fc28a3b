import CLinux

/// A kind of file system, and what it says of itself. See statfs(2), and proc(5) for `mountinfo`.
package struct FileSystem: Sendable, Equatable {
  /// As mount(8) names it: `ext4`, `nfs4`, `fuse.sshfs`. Where `/proc` does not show the mount (in a chroot), the name
  /// of the kind: `nfs`, `fuse`; then it is empty for a kind that is not in the table below.
  package let type: String
  /// How many bytes a name may have. Some file systems say more than they allow.
  package let nameLimit: Int

  package init(type: String, nameLimit: Int = 255) {
    self.type = type
    self.nameLimit = nameLimit
  }

  /// The file system of an open file.
  init(ofDescriptor number: Int32) throws(SystemError) {
    var type: UInt64 = 0
    var nameLimit: Int64 = 0
    _ = try check(linux_file_system(number, &type, &nameLimit), "examine a file system", nil)
    self.init(type: Self.types[type] ?? "", nameLimit: Int(nameLimit))
  }

  /// The file system of a directory.
  package init(of directory: Directory) throws(SystemError) {
    let found = try FileSystem(ofDescriptor: directory.number)
    self.init(type: Self.mountType(directory.number) ?? found.type, nameLimit: found.nameLimit)
  }

  /// What mount(8) calls the type of the mount through which a file was opened.
  private static func mountType(_ number: Int32) -> String? {
    guard let mount = fields(of: "/proc/self/fdinfo/\(number)").first(where: { $0.first == "mnt_id:" }),
      let line = fields(of: "/proc/self/mountinfo").first(where: { $0.first == mount.last }),
      // After the optional fields comes a hyphen, and after it the type.
      let hyphen = line.dropFirst(6).firstIndex(of: "-"), line.index(after: hyphen) < line.endIndex
    else { return nil }
    return String(line[line.index(after: hyphen)])
  }

  /// The words of each line of a file in `/proc`.
  private static func fields(of path: String) -> [[Substring]] {
    let bytes = (try? PathQueries.read(path, limit: 16 << 20)) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
      $0.split { $0 == " " || $0 == "\t" }
    }
  }

  /// Whether modes and owners of its files are those of the mount, and cannot be changed.
  package var hasFixedModes: Bool { ["vfat", "msdos", "exfat", "cifs", "smb3"].contains(type) }

  /// Whether its files are on another host, which may refuse a lease for reasons of its own.
  package var isRemote: Bool { ["nfs", "nfs4", "cifs", "smb3"].contains(type) }

  /// The numbers of statfs(2) that matter here.
  private static let types: [UInt64: String] = [
    0x6969: "nfs", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb3", 0x6573_5546: "fuse", 0x0102_1997: "9p",
    0x4D44: "vfat", 0x2011_BAB0: "exfat", 0xF15F: "ecryptfs",
  ]
}
