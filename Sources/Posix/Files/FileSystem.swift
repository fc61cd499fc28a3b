import CLinux

/// A kind of file system, and what it says of itself. The corresponding C function is `fstatfs(2)`.
package struct FileSystem: Sendable, Equatable {
  /// As in `/proc/filesystems`: `ext4`, `nfs`, `fuse`; empty for one that is not in the table below.
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

  /// Whether its files are on another host, which may refuse a lease for reasons of its own.
  package var isRemote: Bool { ["nfs", "nfs4", "cifs", "smb3"].contains(type) }

  /// The numbers of statfs(2) that matter here.
  private static let types: [UInt64: String] = [
    0x6969: "nfs", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb3", 0x6573_5546: "fuse", 0x0102_1997: "9p",
    0x4D44: "vfat", 0x2011_BAB0: "exfat", 0xF15F: "ecryptfs",
  ]
}
