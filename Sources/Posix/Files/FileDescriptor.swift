import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An open file, closed when its owner goes out of scope. Where the outcome of a write must be known, `sync()` reports
/// it, more reliably and earlier than `close(2)` could.
package struct FileDescriptor: ~Copyable, Sendable {
  package let number: Int32
  /// What error messages call the file.
  let path: String

  /// Takes ownership of an open descriptor.
  package init(_ number: Int32, path: String) {
    self.number = number
    self.path = path
  }

  deinit { _ = linux_close(number) }

  /// The corresponding C function is `fstat(2)`.
  package func status() throws(SystemError) -> FileStatus {
    var status = linux_stat()
    _ = try check(linux_fstat(number, &status), "examine", path)
    return FileStatus(status)
  }

  /// When the file was made; nil where the file system does not say (tmpfs before Linux 6, NFS, some of FUSE). The
  /// corresponding C function is `statx(2)` with `STATX_BTIME`.
  package func birth() -> Timestamp? {
    var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
    guard linux_birth(number, &seconds, &nanoseconds) == 0 else { return nil }
    return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
  }

  /// Reads from the beginning of the file, up to `limit` bytes. The corresponding C function is `pread(2)`.
  package func readAll(limit: Int) throws(SystemError) -> [UInt8] {
    try read(at: 0, count: limit)
  }

  /// Reads from the beginning of a file that is known to be short, with one call.
  package func readStart(limit: Int) throws(SystemError) -> [UInt8] {
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
      result = linux_pread(number, buffer.baseAddress, buffer.count, 0)
      filled = max(0, result)
    }
    _ = try check(result, "read", path)
    return bytes
  }

  /// Reads a file whose size is known, up to `limit` bytes: with one call, unless the size has just changed.
  package func readAll(expecting size: Int64, limit: Int) throws(SystemError) -> [UInt8] {
    guard size < limit else { return try readAll(limit: limit) }
    // One byte more than expected, so that a file that has grown is noticed.
    let bytes = try readStart(limit: Int(size) + 1)
    return bytes.count == Int(size) ? bytes : try readAll(limit: limit)
  }

  /// Reads up to `count` bytes from `offset` on; fewer when the file ends before that.
  package func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(SystemError) {
        while filled < count {
          let result = linux_pread(
            number, buffer.baseAddress! + filled, count - filled, offset + Int64(filled))
          let read = try check(result, "read", path)
          if read == 0 { break }
          filled += read
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Reads once into `buffer`. The corresponding C function is `read(2)`.
  ///
  /// - Returns: how many bytes were read; 0 at the end; nil when a descriptor that does not block has nothing yet.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int? {
    let result = linux_read(number, buffer.baseAddress, buffer.count)
    if result == -Int(EAGAIN) { return nil }
    return try check(result, "read", path)
  }

  /// Writes all bytes. The corresponding C function is `write(2)`.
  ///
  /// - Throws: also when only the rest of a short write fails; a part of the bytes is then in the file.
  package func write(_ bytes: some Collection<UInt8>) throws(SystemError) {
    let failure: SystemError?? = bytes.withContiguousStorageIfAvailable { buffer -> SystemError? in
      do throws(SystemError) {
        try write(UnsafeRawBufferPointer(buffer))
        return nil
      } catch { return error }
    }
    switch failure {
    case .none: try write(Array(bytes))
    case .some(.some(let error)): throw error
    case .some(.none): break
    }
  }

  package func write(_ buffer: UnsafeRawBufferPointer) throws(SystemError) {
    var rest = buffer
    while !rest.isEmpty {
      let written = try check(linux_write(number, rest.baseAddress, rest.count), "write", path)
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  /// Makes `bytes` the whole content. A concurrent reader may see the new content and then the tail of the old content.
  package func replaceContent(with bytes: [UInt8]) throws(SystemError) {
    try overwriteStart(with: bytes)
    try truncate(to: Int64(bytes.count))
  }

  /// Writes at the beginning of the file, in one call; the rest of the file stays.
  package func overwriteStart(with bytes: [UInt8]) throws(SystemError) { try write(bytes, at: 0) }

  /// Writes from `offset` on, in one call; the rest of the file stays. When the kernel takes only a part (the disk is
  /// nearly full, a limit is near), another call for the rest reports why. The corresponding C function is `pwrite(2)`.
  package func write(_ bytes: [UInt8], at offset: Int64) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes { buffer in
        linux_pwrite(number, buffer.baseAddress! + done, buffer.count - done, offset + Int64(done))
      }
      done += try check(written, "write", path)
    }
  }

  /// The corresponding C function is `ftruncate(2)`.
  package func truncate(to size: Int64) throws(SystemError) {
    _ = try check(linux_ftruncate(number, size), "truncate", path)
  }

  /// Returns once content and metadata are on the disk. After a failure, bytes that were written before may be lost: do
  /// not repeat the call as if a later success made up for the failure. The corresponding C function is `fsync(2)`.
  package func sync() throws(SystemError) { _ = try check(linux_fsync(number), "sync", path) }

  /// Like `sync()`, but without times and mode. The corresponding C function is `fdatasync(2)`.
  package func syncData() throws(SystemError) { _ = try check(linux_fdatasync(number), "sync", path) }

  /// Syncs the whole file system that holds the file: the way to make a name durable in a directory that this user may
  /// not read. The corresponding C function is `syncfs(2)`.
  package func syncFileSystem() throws(SystemError) { _ = try check(linux_syncfs(number), "sync", path) }

  /// Begins to write the content to the disk and returns at once, so that several files can be written at the same
  /// time. It promises nothing: a `sync()` must follow. The corresponding C function is `sync_file_range(2)`.
  package func startWriteback() { _ = linux_start_writeback(number) }

  /// The corresponding C function is `fchmod(2)`.
  package func setMode(_ mode: UInt32) throws(SystemError) {
    _ = try check(linux_fchmod(number, mode), "change the mode of", path)
  }

  /// Gives the file to another group. The corresponding C function is `fchown(2)`.
  package func setGroup(_ group: UInt32) throws(SystemError) {
    _ = try check(linux_fchown(number, .max, group), "change the group of", path)
  }

  /// Whether some process has the file open for writing: yes, no, or nil when the kernel won't say (a file of another
  /// user, a file system without leases, a refusal that may be a file server's). The corresponding C function is `fcntl(2)`
  /// with `F_SETLEASE`.
  ///
  /// RACE: a writer may open the file right after the answer.
  package func isOpenForWriting() -> Bool? {
    switch linux_probe_read_lease(number) {
    case 0...: false
    case -EAGAIN: (try? FileSystem(ofDescriptor: number))?.isRemote == true ? nil : true
    default: nil
    }
  }
}
