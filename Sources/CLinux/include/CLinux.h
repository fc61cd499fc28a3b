// The system calls that Bobbin uses, one C function for each.
//
// There are two reasons for a C layer. Swift cannot import some calls (variadic functions, macros, GNU extensions). And
// every call that changes a file system or orders its writes passes one gate here, so that tests can make it fail or
// kill the process at exactly that point (see failpoint.h).
//
// Convention: a function returns its result, zero or more, or the negated errno. Callers do not read errno, so they
// cannot read it too late. A call interrupted by a signal is repeated, except where the comment says otherwise.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Files and directories.

struct linux_stat {
  uint64_t device, inode, links;
  int64_t size;
  uint32_t mode, uid, gid;
  int64_t modified_seconds, changed_seconds;
  int64_t modified_nanoseconds, changed_nanoseconds;
};

extern const int linux_path_only;  // O_PATH
int linux_openat(int directory, const char *path, int flags, unsigned mode);
int linux_close(int descriptor);  // Never repeated: the descriptor is gone even after EINTR.
ssize_t linux_read(int descriptor, void *buffer, size_t size);
ssize_t linux_pread(int descriptor, void *buffer, size_t size, int64_t offset);
ssize_t linux_write(int descriptor, const void *buffer, size_t size);
int linux_wait_writable(int descriptor);  // Returns 0 once a write would not wait, or would fail.
ssize_t linux_pwrite(int descriptor, const void *buffer, size_t size, int64_t offset);
int linux_ftruncate(int descriptor, int64_t size);
int linux_fsync(int descriptor);
int linux_fdatasync(int descriptor);
int linux_syncfs(int descriptor);
int linux_start_writeback(int descriptor);
// More than one name of a file is what its file system says now, not what the kernel remembers.
int linux_fstat(int descriptor, struct linux_stat *result);
int linux_fstatat(int directory, const char *path, struct linux_stat *result);  // Does not follow a symbolic link.
int linux_stat(const char *path, struct linux_stat *result);
// When it was made; -ENOSYS where the file system does not say.
int linux_birth(int descriptor, int64_t *seconds, int64_t *nanoseconds);
int linux_fchmod(int descriptor, unsigned mode);
int linux_fchown(int descriptor, unsigned user, unsigned group);  // (unsigned)-1 leaves the user or the group as it is.
int linux_access(const char *path, int mode);
int linux_renameat(int from, const char *old_path, int to, const char *new_path);
int linux_renameat_noreplace(int from, const char *old_path, int to, const char *new_path);
int linux_linkat(int from, const char *old_path, int to, const char *new_path);
int linux_unlinkat(int directory, const char *path, int flags);
int linux_mkdirat(int directory, const char *path, unsigned mode);
// The space that this user may still use on the file system: bytes, and files (-1 when they are not counted).
int linux_free_space(int descriptor, int64_t *bytes, int64_t *files);
// What kind of file system it is on (the numbers are in statfs(2)), and how many bytes a name may have by its own account.
int linux_file_system(int descriptor, uint64_t *type, int64_t *name_limit);
int linux_mount_id(int descriptor, uint64_t *result);  // Which mount it was opened through; -ENOSYS before Linux 5.8.
ssize_t linux_getdents64(int descriptor, void *buffer, size_t size);
ssize_t linux_readlink(const char *path, void *buffer, size_t size);
int linux_realpath(const char *path, char **result);  // The caller frees the result.

// Locks and leases.

int linux_flock(int descriptor, int operation);  // -EWOULDBLOCK when somebody holds it, also on CIFS.

// 0 when no process has the file open for writing, -EAGAIN when a process does, another error when the kernel won't
// say. The lease is released before the call returns. SIGIO must be ignored.
int linux_probe_read_lease(int descriptor);

// Processes.

// Gives every file that this process makes the mode that is asked for, whatever the caller's umask is.
void linux_clear_umask(void);
int linux_may_lease(void);  // 1 when this process may take a lease on a file of another user (CAP_LEASE), otherwise 0.

// Opens /dev/null under each of the numbers 0 to 2 that is closed: a file opened later must not get one of them.
int linux_open_standard_streams(void);
void linux_set_all_cloexec(void);  // Makes every descriptor from 3 on close-on-exec, where the kernel can.
void linux_ignore_sigpipe_sigio(void);        // SIGPIPE (a write then fails with EPIPE) and SIGIO (a lease is wanted back).

struct linux_spawn {
  const char *path;         // Executed as given, without a search along PATH.
  char *const *arguments;   // NULL at the end; the first is the program's own name.
  char *const *environment; // NULL at the end.
  const char *directory;    // The child's working directory.
  unsigned umask;           // Its file mode creation mask.
  int output, error;        // What becomes the child's standard output and standard error.
  int inherited;            // One more descriptor to hand down, or -1.
  int inherited_as;         // The number under which the child gets it.
};

struct linux_exit {
  int status;  // The exit status, when signal is 0.
  int signal;  // The signal that ended the process, or 0.
};

// The step at which a program could not be started.
enum {
  LINUX_SPAWN_PROGRAM,    // Executing the program, or making a process for it.
  LINUX_SPAWN_INPUT,      // Opening /dev/null, its standard input.
  LINUX_SPAWN_DIRECTORY,  // Changing to its working directory.
};

// Returns the process id. The session and the process group of the process have the same number.
int linux_spawn(const struct linux_spawn *request, int *step);
int linux_wait(int process, int options, struct linux_exit *result);  // As waitpid: the process id, or 0.
int linux_kill(int process, int signal);
int linux_become_subreaper(void);
int linux_pipe(int descriptors[2]);  // Both are close-on-exec; the reading end does not block.
int linux_set_blocking(int descriptor);  // Clears O_NONBLOCK and every other flag that can be cleared.

// Signals. The handlers only count and wake linux_poll: a signal does not disturb any other call.

// Handles SIGTERM, SIGINT, SIGHUP and SIGCHLD, and blocks SIGCHLD in this thread; ignores SIGPIPE and SIGIO. One call
// is enough.
int linux_handle_signals(void);
// How often that signal has arrived since. SIGCHLD: how often linux_poll has noticed the end of children.
int linux_signal_count(int signal);

struct linux_poll {
  int descriptor;  // Negative: left out.
  int ready;       // Set when there is something to read, or the other side has closed.
};

// Waits for any descriptor, a handled signal, or the time to pass (negative: for ever). Returns how many descriptors
// are ready; 0 after the time has passed and also after a signal.
int linux_poll(struct linux_poll *set, int count, int64_t nanoseconds);

// Clocks.

void linux_clock(int monotonic, int64_t *seconds, int64_t *nanoseconds);

// Threads.

// Starts a thread with every signal blocked. Returns 0, or the negated error. The handle is for linux_thread_join.
int linux_thread_start(void (*body)(void *), void *context, uintptr_t *handle);
void linux_thread_join(uintptr_t handle);

#endif
