import Glibc
import Posix

/// Reports which entries of a directory are opened, with `inotify(7)`.
final class OpenWatch {
  private let number: Int32

  init(_ path: String) throws {
    number = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard number >= 0, inotify_add_watch(number, path, UInt32(IN_OPEN)) >= 0 else {
      throw SystemError("watch", path, .init(errno))
    }
  }

  deinit { close(number) }

  /// The names that were opened since the last call, without the directory itself.
  func opened() -> [String] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 8)
    defer { buffer.deallocate() }
    var names: [String] = []
    let count = read(number, buffer.baseAddress, buffer.count)
    var offset = 0
    while offset < count {
      let event = buffer.baseAddress! + offset
      // struct inotify_event: wd, mask, cookie and len (4 bytes each), then the name, padded with zeros.
      let length = Int(event.load(fromByteOffset: 12, as: UInt32.self))
      if length > 0 { names.append(String(cString: (event + 16).assumingMemoryBound(to: CChar.self))) }
      offset += 16 + length
    }
    return names
  }
}
