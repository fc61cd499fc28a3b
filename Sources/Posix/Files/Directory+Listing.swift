import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension Directory {
  /// Calls `body` with the name of every entry except `.` and `..`, in the order of the file system, without making a
  /// String or an array for each: a spool may hold a million entries. The bytes are valid only during the call.
  ///
  /// An entry that is added or removed while the directory is read may or may not be seen; every other entry is seen
  /// once. The corresponding C function is `getdents64(2)`.
  ///
  /// - Throws: when the directory cannot be read to its end; an unreadable directory is never taken for empty.
  package func forEachName(_ body: (UnsafeRawBufferPointer) -> Void) throws(SystemError) {
    // A descriptor of its own, so that two readers never share one position.
    let reader = try check(linux_openat(number, ".", O_RDONLY | O_DIRECTORY, 0), "open", path)
    defer { _ = linux_close(reader) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 8)
    defer { buffer.deallocate() }
    while true {
      let filled = try check(linux_getdents64(reader, buffer.baseAddress, buffer.count), "list", path)
      if filled == 0 { return }
      var offset = 0
      while offset < filled {
        // struct linux_dirent64: d_ino (8), d_off (8), d_reclen (2), d_type (1), d_name, terminated by a zero.
        let record = buffer.baseAddress! + offset
        let length = Int(record.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
        let name = record + 19
        let count = strlen(name.assumingMemoryBound(to: CChar.self))
        let isDots =
          name.load(as: UInt8.self) == UInt8(ascii: ".")
          && (count == 1 || (count == 2 && name.load(fromByteOffset: 1, as: UInt8.self) == UInt8(ascii: ".")))
        if !isDots { body(UnsafeRawBufferPointer(start: name, count: count)) }
        offset += length
      }
    }
  }

  /// All names in the directory, unsorted, without `.` and `..`. For directories that stay small.
  package func names() throws(SystemError) -> [FileName] {
    var names: [FileName] = []
    try forEachName { names.append(FileName(bytes: Array($0))) }
    return names
  }
}
