import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the system knows about a file. The corresponding C function is `fstatat(2)`.
package struct FileStatus: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case regular, directory, symbolicLink, fifo, socket, characterDevice, blockDevice, unknown
  }

  package let kind: Kind
  package let size: Int64
  package let links: UInt64
  package let device: UInt64
  package let inode: UInt64
  package let owner: UInt32
  package let group: UInt32
  /// Permission bits, without the file type.
  package let mode: UInt32
  package let modified: Timestamp
  /// When content, owner, mode or name last changed (ctime). Nobody can set this time.
  package let changed: Timestamp

  init(_ raw: linux_stat) {
    switch raw.mode & S_IFMT {
    case S_IFREG: kind = .regular
    case S_IFDIR: kind = .directory
    case S_IFLNK: kind = .symbolicLink
    case S_IFIFO: kind = .fifo
    case S_IFSOCK: kind = .socket
    case S_IFCHR: kind = .characterDevice
    case S_IFBLK: kind = .blockDevice
    default: kind = .unknown
    }
    size = raw.size
    links = raw.links
    device = raw.device
    inode = raw.inode
    owner = raw.uid
    group = raw.gid
    mode = raw.mode & 0o7777
    modified = Timestamp(seconds: raw.modified_seconds, nanoseconds: raw.modified_nanoseconds)
    changed = Timestamp(seconds: raw.changed_seconds, nanoseconds: raw.changed_nanoseconds)
  }

  /// Whether both describe one file: the same inode of the same file system.
  package func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }

  /// Whether both describe one file with one content: the same inode, size and modification time.
  package func describesSameContent(as other: FileStatus) -> Bool {
    isSameFile(as: other) && size == other.size && modified == other.modified
  }
}
