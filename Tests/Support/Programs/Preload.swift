import Foundation

/// A library that stands between bobbin and the C library, so that a test can break a promise of the system or act at
/// an exact point. It only works with a dynamically linked bobbin, as a debug build is.
package enum Preload {
  /// Compiles the library into a directory.
  ///
  /// - Returns: the environment that preloads the library.
  package static func environment(in directory: TemporaryDirectory) throws -> [String: String] {
    let library = try directory.path("preload/preload.so")
    try directory.write("preload/preload.c", source)
    let compiler = try Program(
      "/usr/bin/env",
      ["cc", "-shared", "-fPIC", "-o", library, "\(directory.path)/preload/preload.c", "-ldl"]
    ).start(outputIn: directory).wait(.seconds(60))
    guard compiler.status == 0 else {
      throw Failure("cc could not compile the library to be preloaded: \(compiler)")
    }
    return ["LD_PRELOAD": library]
  }

  /// Every `flock(2)` succeeds, even if another process holds the lock, as on a file system with broken locks.
  package static let brokenLocks = ["TEST_BROKEN_LOCKS": "1"]

  /// The file at this path is made, with `1` as its content, just before the scheduler lock is released.
  package static func dropAtUnlock(_ path: String) -> [String: String] { ["TEST_DROP_AT_UNLOCK": path] }

  /// Syncing the file of this name fails with EIO, as on a failing disk.
  package static func brokenSync(_ name: String) -> [String: String] { ["TEST_BROKEN_SYNC": name] }

  /// The disk is full.
  package static let fullDisk = ["TEST_FULL_DISK": "1"]

  /// The disk is full as long as there is a file at this path.
  package static func fullDisk(while path: String) -> [String: String] { ["TEST_FULL_WHILE": path] }

  /// Nobody ends for a signal that bobbin sends, as a process that hangs in the kernel (a dead network disk) does not.
  package static let brokenKill = ["TEST_BROKEN_KILL": "1"]

  /// A name has at most so many bytes, as where each name is encrypted (eCryptfs: 143).
  package static func nameLimit(_ bytes: Int) -> [String: String] { ["TEST_NAME_LIMIT": "\(bytes)"] }

  /// The filter of an old container host: calls that it does not know are not permitted, though they exist.
  package static let oldFilter = ["TEST_OLD_FILTER": "1"]

  /// Every lease is refused as if somebody were writing to the file, as on NFS without delegations.
  package static let refusedLeases = ["TEST_REFUSED_LEASES": "1"]

  /// The number of a file's names is that of a cache, one too many until the file system itself is asked.
  package static let staleLinkCounts = ["TEST_STALE_LINK_COUNTS": "1"]

  /// No file can be moved to another directory, as when the two are on different disks behind one mergerfs.
  package static let disksApart = ["TEST_DISKS_APART": "1"]

  /// A lock that somebody holds is denied, as on CIFS.
  package static let deniedLocks = ["TEST_DENIED_LOCKS": "1"]

  /// The file system does not know how many files it has room for, and says that none are left (rclone).
  package static let uncountedFiles = ["TEST_UNCOUNTED_FILES": "1"]

  /// It is killed instead of moving a file to this name with `renameat(2)`, as a result is moved.
  package static func killAtMove(to name: String) -> [String: String] { ["TEST_KILL_AT_MOVE": name] }

  /// It is killed instead of removing a file of which the name ends so, such as a claim.
  package static func killAtRemoval(of suffix: String) -> [String: String] {
    ["TEST_KILL_AT_REMOVAL": suffix]
  }

  /// Writes down, one a line, what is synced (`sync NAME`), removed (`remove NAME`) or moved (`move OLD NEW`).
  package static func journal(_ path: String) -> [String: String] { ["TEST_JOURNAL": path] }

  private static let source = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <limits.h>
    #include <signal.h>
    #include <stdarg.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/file.h>
    #include <sys/stat.h>
    #include <sys/statvfs.h>
    #include <sys/syscall.h>
    #include <sys/types.h>
    #include <unistd.h>

    #define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

    static const char *name_of(int descriptor, char *buffer) {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
      ssize_t length = readlink(link, buffer, PATH_MAX - 1);
      buffer[length < 0 ? 0 : length] = 0;
      char *slash = strrchr(buffer, '/');
      return slash ? slash + 1 : buffer;
    }

    static void note(const char *what, const char *first, const char *second) {
      const char *journal = getenv("TEST_JOURNAL");
      if (!journal) return;
      char line[3 * PATH_MAX];
      int length = snprintf(line, sizeof line, "%s %s%s%s\n", what, first, second ? " " : "", second ? second : "");
      int file = open(journal, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
      if (file < 0 || write(file, line, length) != length) abort();
      close(file);
    }

    static void kill_at(const char *variable, const char *path) {
      const char *end = getenv(variable);
      if (!end || strlen(path) < strlen(end) || strcmp(path + strlen(path) - strlen(end), end)) return;
      raise(SIGKILL);
    }

    int flock(int descriptor, int operation) {
      if (getenv("TEST_BROKEN_LOCKS")) return 0;
      int result = REAL(int, flock, int, int)(descriptor, operation);
      if (result < 0 && errno == EWOULDBLOCK && getenv("TEST_DENIED_LOCKS")) errno = EACCES;
      return result;
    }

    static int refuses_lease(int command, long argument) {
      return command == F_SETLEASE && argument == F_RDLCK && getenv("TEST_REFUSED_LEASES");
    }

    int fcntl(int descriptor, int command, ...) {
      va_list list;
      va_start(list, command);
      long argument = va_arg(list, long);
      va_end(list);
      if (refuses_lease(command, argument)) return errno = EAGAIN, -1;
      return REAL(int, fcntl, int, int, ...)(descriptor, command, argument);
    }

    int faccessat(int directory, const char *path, int mode, int flags) {
      // What the C library makes of a refused faccessat2(2).
      if (flags && getenv("TEST_OLD_FILTER")) return errno = EPERM, -1;
      return REAL(int, faccessat, int, const char *, int, int)(directory, path, mode, flags);
    }

    // Whether the next count of names of this thread is the file system's own.
    static _Thread_local int is_fresh;

    static int with_stale_count(int result, struct stat *status) {
      if (result == 0 && S_ISREG(status->st_mode) && !is_fresh && getenv("TEST_STALE_LINK_COUNTS")) status->st_nlink++;
      is_fresh = 0;
      return result;
    }

    int statx(int directory, const char *path, int flags, unsigned mask, struct statx *status) {
      if (flags & AT_STATX_FORCE_SYNC) is_fresh = 1;
      return REAL(int, statx, int, const char *, int, unsigned, struct statx *)(directory, path, flags, mask, status);
    }

    int fstat(int descriptor, struct stat *status) {
      return with_stale_count(REAL(int, fstat, int, struct stat *)(descriptor, status), status);
    }

    int fstatat(int directory, const char *path, struct stat *status, int flags) {
      return with_stale_count(
          REAL(int, fstatat, int, const char *, struct stat *, int)(directory, path, status, flags), status);
    }

    static void drop_at_unlock(int descriptor, off_t size) {
      static int done;
      char buffer[PATH_MAX];
      const char *path = getenv("TEST_DROP_AT_UNLOCK");
      if (done || !path || size != 0 || strcmp(name_of(descriptor, buffer), "scheduler.lock")) return;
      done = 1;
      int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
      if (file < 0 || write(file, "1\n", 2) != 2) abort();
      close(file);
    }

    int ftruncate(int descriptor, off_t size) {
      drop_at_unlock(descriptor, size);
      return REAL(int, ftruncate, int, off_t)(descriptor, size);
    }

    int ftruncate64(int descriptor, off64_t size) {
      drop_at_unlock(descriptor, size);
      return REAL(int, ftruncate64, int, off64_t)(descriptor, size);
    }

    int kill(pid_t process, int signal) {
      if (getenv("TEST_BROKEN_KILL")) return 0;
      return REAL(int, kill, pid_t, int)(process, signal);
    }

    static int is_sync_broken(int descriptor) {
      char buffer[PATH_MAX];
      const char *name = getenv("TEST_BROKEN_SYNC");
      return name && !strcmp(name_of(descriptor, buffer), name);
    }

    int fsync(int descriptor) {
      char buffer[PATH_MAX];
      if (is_sync_broken(descriptor)) return errno = EIO, -1;
      int result = REAL(int, fsync, int)(descriptor);
      note("sync", name_of(descriptor, buffer), NULL);
      return result;
    }

    int fdatasync(int descriptor) {
      char buffer[PATH_MAX];
      if (is_sync_broken(descriptor)) return errno = EIO, -1;
      int result = REAL(int, fdatasync, int)(descriptor);
      note("sync", name_of(descriptor, buffer), NULL);
      return result;
    }

    int fstatvfs(int descriptor, struct statvfs *status) {
      int result = REAL(int, fstatvfs, int, struct statvfs *)(descriptor, status);
      const char *hog = getenv("TEST_FULL_WHILE");
      if (getenv("TEST_FULL_DISK") || (hog && !access(hog, F_OK))) status->f_bavail = 0;
      if (getenv("TEST_UNCOUNTED_FILES")) status->f_ffree = status->f_favail = 0;
      return result;
    }

    int unlinkat(int directory, const char *path, int flags) {
      if (!(flags & AT_REMOVEDIR)) note("remove", path, NULL);
      kill_at("TEST_KILL_AT_REMOVAL", path);
      return REAL(int, unlinkat, int, const char *, int)(directory, path, flags);
    }

    // Why a file cannot be moved, or get another name; 0 when nothing is in its way.
    static int obstacle(int from, int to, const char *new) {
      const char *limit = getenv("TEST_NAME_LIMIT");
      if (limit && strlen(new) > strtoul(limit, NULL, 10)) return ENAMETOOLONG;
      return from != to && getenv("TEST_DISKS_APART") ? EXDEV : 0;
    }

    int linkat(int from, const char *old, int to, const char *new, int flags) {
      if (obstacle(from, to, new)) return errno = obstacle(from, to, new), -1;
      return REAL(int, linkat, int, const char *, int, const char *, int)(from, old, to, new, flags);
    }

    int renameat(int from, const char *old, int to, const char *new) {
      if (obstacle(from, to, new)) return errno = obstacle(from, to, new), -1;
      note("move", old, new);
      kill_at("TEST_KILL_AT_MOVE", new);
      return REAL(int, renameat, int, const char *, int, const char *)(from, old, to, new);
    }

    long syscall(long number, ...) {
      va_list list;
      va_start(list, number);
      long arguments[6];
      for (int i = 0; i < 6; i++) arguments[i] = va_arg(list, long);
      va_end(list);
      if ((number == SYS_renameat2 || number == SYS_close_range) && getenv("TEST_OLD_FILTER")) return errno = EPERM, -1;
      if (number == SYS_renameat2) {
        int code = obstacle(arguments[0], arguments[2], (const char *)arguments[3]);
        if (code) return errno = code, -1;
        note("move", (const char *)arguments[1], (const char *)arguments[3]);
      }
      return REAL(long, syscall, long, ...)(
          number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    }
    """#
}
