import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// This process and what surrounds it.
package enum CurrentProcess {
  package static var id: Int32 { getpid() }
  package static var effectiveUser: UInt32 { geteuid() }
  /// Whether a user id that the kernel reports is that user's. In a user namespace all users from outside that it does
  /// not map have one id in common, the overflow id. See `user_namespaces(7)`.
  package static func knows(user: UInt32) -> Bool {
    func numbers(_ path: String) -> [UInt32] {
      let text = (try? PathQueries.read(path, limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) }
      return (text ?? "").split { $0 == " " || $0 == "\n" }.compactMap { UInt32($0) }
    }
    let overflow = numbers("/proc/sys/fs/overflowuid").first ?? 65_534
    return user != overflow || numbers("/proc/self/uid_map") == [0, 0, .max]
  }

  /// Whether this process may ask the kernel whether another user's file is open for writing. See `CAP_LEASE` in
  /// `capabilities(7)`.
  package static var mayLeaseFilesOfOthers: Bool { linux_may_lease() == 1 }

  package static var effectiveGroup: UInt32 { getegid() }

  /// Makes a clean start, whatever the caller left open, closed or ignored. Call this before anything is opened.
  ///
  /// A standard stream that is closed (`bobbin run >&-`) becomes `/dev/null`: a file opened later would get its number,
  /// and what is printed would go into that file. Every other descriptor of the caller is kept from jobs (`close_range(2)`
  /// with `CLOSE_RANGE_CLOEXEC`, where the kernel has it and the container lets it through), which might hold the caller's
  /// locks by it. And neither the end of a reader (`| head`) nor a process that wants to write to a file at which a lease was
  /// just asked for ends this process.
  package static func prepare() throws(SystemError) {
    _ = try check(linux_open_standard_streams(), "open", "/dev/null")
    linux_set_all_cloexec()
    linux_ignore_sigpipe_sigio()
    linux_clear_umask()
  }

  /// A variable of the environment; nil when it is unset or empty. Bytes that are not UTF-8 become U+FFFD.
  package static func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// Where programs are searched for: `PATH`, or a default when it is not set.
  package static var searchPath: String { environment("PATH") ?? "/usr/local/bin:/usr/bin:/bin" }

  /// The whole environment, as entries `NAME=value`. Bytes that are not UTF-8 become U+FFFD.
  package static func environment() -> [String] {
    var entries: [String] = []
    var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = environ
    while let entry = next.pointee {
      entries.append(String(cString: entry))
      next += 1
    }
    return entries
  }

  /// The working directory. Bytes that are not UTF-8 become U+FFFD.
  package static func directory() throws(SystemError) -> String { try PathQueries.resolved(".") }

  /// The host's name; empty when it has no name. The corresponding C function is `gethostname(2)`.
  package static func hostName() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard gethostname(buffer.baseAddress!, 255) == 0 else { return "" }
      buffer[255] = 0
      return String(cString: buffer.baseAddress!)
    }
  }

  /// Stops the calling thread for a while, whatever signals arrive. For threads that must not take signals away from
  /// the thread that waits for them with `Poll`. The corresponding C function is `clock_nanosleep(2)`.
  package static func pause(for duration: Duration) {
    let end = (MonotonicTime.now() + duration).nanoseconds
    var wakeUp = timespec()
    wakeUp.tv_sec = time_t(end / 1_000_000_000)
    wakeUp.tv_nsec = Int(end % 1_000_000_000)
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wakeUp, nil) == EINTR {}
  }

  /// Ends the process. The corresponding C function is `exit(3)`.
  package static func exit(_ status: Int32) -> Never {
    #if canImport(Glibc)
      Glibc.exit(status)
    #else
      Musl.exit(status)
    #endif
  }
}
