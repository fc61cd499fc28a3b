#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "failpoint.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

// The result of a call that is repeated while signals interrupt it; the negated errno when the call failed.
#define REPEATED(call)                                     \
  ({                                                       \
    __typeof__(call) result_;                              \
    do result_ = (call);                                   \
    while (result_ < 0 && errno == EINTR);                 \
    result_ < 0 ? (__typeof__(call))(-errno) : result_;    \
  })

// Files and directories.

const int linux_path_only = O_PATH;

int linux_openat(int directory, const char *path, int flags, unsigned mode) {
  flags |= O_CLOEXEC | O_NOCTTY;
  if (!(flags & (O_WRONLY | O_RDWR))) return REPEATED(openat(directory, path, flags, mode));
  return REPEATED(GATED("open", directory, path, openat(directory, path, flags, mode)));
}

int linux_close(int descriptor) { return close(descriptor) < 0 ? -errno : 0; }

ssize_t linux_read(int descriptor, void *buffer, size_t size) { return REPEATED(read(descriptor, buffer, size)); }

ssize_t linux_pread(int descriptor, void *buffer, size_t size, int64_t offset) {
  return REPEATED(pread(descriptor, buffer, size, offset));
}

ssize_t linux_write(int descriptor, const void *buffer, size_t size) {
  return REPEATED(GATED("write", descriptor, NULL, write(descriptor, buffer, size)));
}

int linux_wait_writable(int descriptor) {
  struct pollfd polled = {.fd = descriptor, .events = POLLOUT};
  int result = REPEATED(poll(&polled, 1, -1));
  return result < 0 ? result : 0;
}

ssize_t linux_pwrite(int descriptor, const void *buffer, size_t size, int64_t offset) {
  return REPEATED(GATED("write", descriptor, NULL, pwrite(descriptor, buffer, size, offset)));
}

int linux_ftruncate(int descriptor, int64_t size) {
  return REPEATED(GATED("truncate", descriptor, NULL, ftruncate(descriptor, size)));
}

int linux_fsync(int descriptor) {
  return REPEATED(GATED("sync", descriptor, NULL, fsync(descriptor)));
}

int linux_fdatasync(int descriptor) {
  return REPEATED(GATED("sync", descriptor, NULL, fdatasync(descriptor)));
}

int linux_syncfs(int descriptor) {
  return REPEATED(GATED("sync", descriptor, NULL, syncfs(descriptor)));
}

int linux_start_writeback(int descriptor) {
#ifdef SYNC_FILE_RANGE_WRITE
  return REPEATED(sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE));
#else
  (void)descriptor;
  return 0;
#endif
}

static void copy_stat(const struct stat *from, struct linux_stat *to) {
  to->device = from->st_dev;
  to->inode = from->st_ino;
  to->links = from->st_nlink;
  to->size = from->st_size;
  to->mode = from->st_mode;
  to->uid = from->st_uid;
  to->gid = from->st_gid;
  to->modified_seconds = from->st_mtim.tv_sec;
  to->modified_nanoseconds = from->st_mtim.tv_nsec;
  to->changed_seconds = from->st_ctim.tv_sec;
  to->changed_nanoseconds = from->st_ctim.tv_nsec;
}

// Whether a file seems to have several names, and its file system was asked for them: of a file on FUSE or on a network
// the kernel keeps for a while what it was told, also when a name has just been removed.
static int is_refreshed(const struct stat *status, int directory, const char *path, int flags) {
#ifdef AT_STATX_FORCE_SYNC
  struct statx fresh;
  return S_ISREG(status->st_mode) && status->st_nlink > 1 &&
         statx(directory, path, flags | AT_STATX_FORCE_SYNC, STATX_NLINK, &fresh) == 0;
#else
  (void)status, (void)directory, (void)path, (void)flags;
  return 0;
#endif
}

int linux_fstat(int descriptor, struct linux_stat *result) {
  struct stat status;
  int code = REPEATED(fstat(descriptor, &status));
  if (code == 0 && is_refreshed(&status, descriptor, "", AT_EMPTY_PATH)) code = REPEATED(fstat(descriptor, &status));
  if (code == 0) copy_stat(&status, result);
  return code;
}

int linux_fstatat(int directory, const char *path, struct linux_stat *result) {
  struct stat status;
  int code = REPEATED(fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW));
  if (code == 0 && is_refreshed(&status, directory, path, AT_SYMLINK_NOFOLLOW))
    code = REPEATED(fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW));
  if (code == 0) copy_stat(&status, result);
  return code;
}

int linux_stat(const char *path, struct linux_stat *result) {
  struct stat status;
  int code = REPEATED(fstatat(AT_FDCWD, path, &status, 0));
  if (code == 0) copy_stat(&status, result);
  return code;
}

int linux_fchmod(int descriptor, unsigned mode) {
  return REPEATED(GATED("chmod", descriptor, NULL, fchmod(descriptor, mode)));
}

int linux_fchown(int descriptor, unsigned user, unsigned group) {
  return REPEATED(GATED("chown", descriptor, NULL, fchown(descriptor, user, group)));
}

int linux_realpath(const char *path, char **result) {
  *result = realpath(path, NULL);
  return *result ? 0 : -errno;
}

int linux_access(const char *path, int mode) {
  int code = REPEATED(faccessat(AT_FDCWD, path, mode, AT_EACCESS));
  // The C library uses faccessat2(2), whatever the flags, and does without it only after ENOSYS; a container of an old
  // host answers EPERM. For a process whose real and effective user are the same the older call has the same answer.
  if (code == -EPERM && geteuid() == getuid() && getegid() == getgid())
    code = REPEATED((int)syscall(SYS_faccessat, AT_FDCWD, path, mode));
  return code;
}

int linux_renameat(int from, const char *old_path, int to, const char *new_path) {
  return REPEATED(GATED("rename", to, new_path, renameat(from, old_path, to, new_path)));
}

int linux_renameat_noreplace(int from, const char *old_path, int to, const char *new_path) {
  return REPEATED(GATED(
      "rename", to, new_path, (int)syscall(SYS_renameat2, from, old_path, to, new_path, RENAME_NOREPLACE)));
}

int linux_linkat(int from, const char *old_path, int to, const char *new_path) {
  return REPEATED(GATED("link", to, new_path, linkat(from, old_path, to, new_path, 0)));
}

int linux_unlinkat(int directory, const char *path, int flags) {
  return REPEATED(GATED("unlink", directory, path, unlinkat(directory, path, flags)));
}

int linux_mkdirat(int directory, const char *path, unsigned mode) {
  return REPEATED(GATED("mkdir", directory, path, mkdirat(directory, path, mode)));
}

int linux_free_space(int descriptor, int64_t *bytes, int64_t *files) {
  struct statvfs status;
  int code = REPEATED(fstatvfs(descriptor, &status));
  if (code < 0) return code;
  *bytes = (int64_t)status.f_bavail * (int64_t)status.f_frsize;
  *files = status.f_files == 0 ? -1 : (int64_t)status.f_favail;
  return 0;
}

int linux_file_system(int descriptor, uint64_t *type, int64_t *name_limit) {
  struct statfs status;
  int code = REPEATED(fstatfs(descriptor, &status));
  if (code < 0) return code;
  *type = (uint32_t)status.f_type;
  *name_limit = (int64_t)status.f_namelen;
  return 0;
}

int linux_mount_id(int descriptor, uint64_t *result) {
#ifdef STATX_MNT_ID
  struct statx status;
  int code = REPEATED(statx(descriptor, "", AT_EMPTY_PATH, STATX_MNT_ID, &status));
  if (code < 0) return code;
  if (!(status.stx_mask & STATX_MNT_ID)) return -ENOSYS;
  *result = status.stx_mnt_id;
  return 0;
#else
  (void)descriptor, (void)result;
  return -ENOSYS;
#endif
}

int linux_birth(int descriptor, int64_t *seconds, int64_t *nanoseconds) {
#ifdef STATX_BTIME
  struct statx status;
  int code = REPEATED(statx(descriptor, "", AT_EMPTY_PATH, STATX_BTIME, &status));
  if (code < 0) return code;
  if (!(status.stx_mask & STATX_BTIME)) return -ENOSYS;
  *seconds = status.stx_btime.tv_sec;
  *nanoseconds = status.stx_btime.tv_nsec;
  return 0;
#else
  (void)descriptor, (void)seconds, (void)nanoseconds;
  return -ENOSYS;
#endif
}

ssize_t linux_getdents64(int descriptor, void *buffer, size_t size) {
  return REPEATED(syscall(SYS_getdents64, descriptor, buffer, size));
}

ssize_t linux_readlink(const char *path, void *buffer, size_t size) { return REPEATED(readlink(path, buffer, size)); }

// Locks and leases.

int linux_flock(int descriptor, int operation) {
  int code = REPEATED(GATED("lock", descriptor, NULL, flock(descriptor, operation)));
  // On CIFS the server denies a lock that somebody holds. Elsewhere flock(2) never fails with EACCES.
  return code == -EACCES ? -EWOULDBLOCK : code;
}

int linux_probe_read_lease(int descriptor) {
  int code = REPEATED(fcntl(descriptor, F_SETLEASE, F_RDLCK));
  if (code < 0) return code;
  return REPEATED(fcntl(descriptor, F_SETLEASE, F_UNLCK));
}

// Processes.

void linux_set_all_cloexec(void) {
#ifdef SYS_close_range
  // Where the call is not known (ENOSYS, EINVAL before Linux 5.11) or not let through (EPERM, in a container of an old
  // host), what was inherited stays as the caller had it.
  syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
#endif
}

// Without /proc nobody can tell which processes live, and the runtime of Swift aborts before main() begins, without saying
// why. So this is the first thing that a process does: numbers below 101 are the C library's.
__attribute__((constructor(101))) static void require_proc(void) {
  static const char message[] =
      "bobbin: /proc is not mounted, and without it nobody can tell which processes live: mount -t proc proc /proc\n";
  if (access("/proc/self/stat", R_OK) == 0 || errno != ENOENT) return;
  (void)!write(2, message, sizeof message - 1);
  _exit(71 /* EX_OSERR */);
}

void linux_ignore_sigpipe_sigio(void) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGIO, SIG_IGN);
}

void linux_clear_umask(void) { umask(0); }

int linux_may_lease(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, data) < 0) return 0;
  return data[CAP_TO_INDEX(CAP_LEASE)].effective & CAP_TO_MASK(CAP_LEASE) ? 1 : 0;
}

int linux_open_standard_streams(void) {
  for (int number = 0; number <= 2; number++) {
    if (fcntl(number, F_GETFD) >= 0) continue;
    // open(2) returns the lowest free number. That is this number, because all numbers below it are open.
    if (open("/dev/null", O_RDWR) < 0) return -errno;
  }
  return 0;
}

// A descriptor that is not overwritten when the child's descriptors get their numbers: the descriptor itself, or a copy
// above those numbers, which the caller closes.
static int dup_above(int descriptor, int inherited_as) {
  if (descriptor > 2 && descriptor != inherited_as) return descriptor;
  int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, inherited_as + 1);
  // The limit on open files does not allow a number above inherited_as.
  if (copy < 0 && errno == EINVAL) return -EMFILE;
  return copy < 0 ? -errno : copy;
}

// Why the child could not execute the program, reported through the memory that it shares with its parent until execve.
struct spawn_failure {
  int code;
  int step;
};

// Gives the program a descriptor under a certain number.
static int dup2_inheritable(int descriptor, int number) {
  // dup2 would leave the descriptor close-on-exec.
  if (descriptor == number) return fcntl(number, F_SETFD, 0);
  return dup2(descriptor, number);
}

// Runs in the child. It may change the state of the system but not memory, which is the parent's.
static void child_exec(
    const struct linux_spawn *request, int output, int error, volatile struct spawn_failure *failure) {
  struct sigaction standard, old;
  memset(&standard, 0, sizeof standard);
  sigemptyset(&standard.sa_mask);
  standard.sa_handler = SIG_DFL;
  // Ignored signals would stay ignored in the program, and a handler must not run in the child. SIGHUP alone may stay
  // ignored: `nohup` is meant for jobs as well.
  const int reset[] = {SIGPIPE, SIGIO, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD};
  for (size_t i = 0; i < sizeof reset / sizeof reset[0]; i++) sigaction(reset[i], &standard, NULL);
  if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(SIGHUP, &standard, NULL);
  int null;
  // The inherited descriptor comes first: its number is far above 2, so the calls below cannot overwrite it.
  if (request->inherited >= 0 && dup2_inheritable(request->inherited, request->inherited_as) < 0) {
    // The descriptor is open, so EBADF means that the limit on open files does not allow the new number.
    *failure = (struct spawn_failure){errno == EBADF ? EMFILE : errno, LINUX_SPAWN_PROGRAM};
    return;
  }
  if (setsid() < 0 || dup2_inheritable(output, 1) < 0 || dup2_inheritable(error, 2) < 0) {
    *failure = (struct spawn_failure){errno, LINUX_SPAWN_PROGRAM};
    return;
  }
  if ((null = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0 || dup2_inheritable(null, 0) < 0) {
    *failure = (struct spawn_failure){errno, LINUX_SPAWN_INPUT};
    return;
  }
  if (chdir(request->directory) < 0) {
    *failure = (struct spawn_failure){errno, LINUX_SPAWN_DIRECTORY};
    return;
  }
  // Its own: a child of vfork shares the memory of its parent, but not its working directory and its umask.
  umask(request->umask);
  // A capability that the service manager gave the batch for itself (CAP_LEASE) is not for its jobs. What the kernel does
  // not know (before Linux 4.3) cannot be inherited either.
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(request->path, request->arguments, request->environment);
  *failure = (struct spawn_failure){errno, LINUX_SPAWN_PROGRAM};
}

// vfork instead of posix_spawn: with a working directory, a group and three descriptors, posix_spawn makes dozens more
// system calls (and unmaps a stack, which interrupts every other thread), and does not say which step failed. Where
// vfork only does what fork does (an emulated processor), a program that cannot be started has exit status 127.
static int spawn_with(const struct linux_spawn *request, int output, int error, int *step) {
  volatile struct spawn_failure failure = {0, LINUX_SPAWN_PROGRAM};
  sigset_t all, old;
  sigfillset(&all);
  // A handler must not run in the child before the child has reset it.
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pid_t process = vfork();
  if (process == 0) {
    child_exec(request, output, error, &failure);
    _exit(127);
  }
  int code = process < 0 ? errno : failure.code;
  if (process > 0 && code != 0) waitpid(process, NULL, 0);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  *step = failure.step;
  return code != 0 ? -code : process;
}

int linux_spawn(const struct linux_spawn *request, int *step) {
  *step = LINUX_SPAWN_PROGRAM;
  GATE("spawn", request->path);
  int output = dup_above(request->output, request->inherited_as);
  if (output < 0) return output;
  int error = dup_above(request->error, request->inherited_as);
  int result = error < 0 ? error : spawn_with(request, output, error, step);
  if (output != request->output) close(output);
  if (error >= 0 && error != request->error) close(error);
  return result;
}

int linux_wait(int process, int options, struct linux_exit *result) {
  int status = 0;
  int code = REPEATED(GATED("wait", -1, NULL, waitpid(process, &status, options)));
  if (code > 0) {
    result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  }
  return code;
}

int linux_kill(int process, int signal) { return kill(process, signal) < 0 ? -errno : 0; }

int linux_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0; }

int linux_pipe(int descriptors[2]) {
  GATE("pipe", NULL);
  if (pipe2(descriptors, O_CLOEXEC) < 0) return -errno;
  if (fcntl(descriptors[0], F_SETFL, O_NONBLOCK) == 0) return 0;
  int code = -errno;
  close(descriptors[0]);
  close(descriptors[1]);
  return code;
}

int linux_set_blocking(int descriptor) { return fcntl(descriptor, F_SETFL, 0) < 0 ? -errno : 0; }

// Signals.

static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
static volatile sig_atomic_t counts[65];

// A handler writes to this pipe to wake linux_poll, whichever thread the signal was delivered to.
static int wake_pipe[2] = {-1, -1};

// The end of a child makes this descriptor readable, without a handler: SIGCHLD is blocked in the polling thread and
// waits here. If another thread does not block SIGCHLD, the handler wakes the poll. (This does not happen in the
// program, where every other thread blocks all signals.)
static int child_ended = -1;

static void count_signal(int signal) {
  int error = errno;
  if (signal > 0 && signal < 65) counts[signal]++;
  // A full pipe wakes the poll just as well.
  (void)!write(wake_pipe[1], "", 1);
  errno = error;
}

int linux_handle_signals(void) {
  if (wake_pipe[0] >= 0) return 0;
  if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) < 0) return -errno;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  action.sa_handler = count_signal;
  for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++) {
    struct sigaction old;
    // A signal that the caller ignores stays ignored (nohup), but the end of a child must be noticed.
    if (handled[i] != SIGCHLD && sigaction(handled[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    sigaction(handled[i], &action, NULL);
  }
  linux_ignore_sigpipe_sigio();
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  child_ended = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  if (child_ended >= 0) pthread_sigmask(SIG_BLOCK, &child, NULL);
  return 0;
}

int linux_signal_count(int signal) { return signal > 0 && signal < 65 ? counts[signal] : 0; }

static void empty(int descriptor) {
  char bytes[2 * sizeof(struct signalfd_siginfo)];
  while (read(descriptor, bytes, sizeof bytes) == sizeof bytes) {
  }
}

int linux_poll(struct linux_poll *set, int count, int64_t nanoseconds) {
  enum { LIMIT = 2 };
  const int wakers[] = {wake_pipe[0], child_ended};
  struct pollfd polled[LIMIT + 2];
  if (count > LIMIT) return -EINVAL;
  for (int i = 0; i < count; i++) {
    polled[i] = (struct pollfd){.fd = set[i].descriptor, .events = POLLIN};
    set[i].ready = 0;
  }
  for (int i = 0; i < 2; i++) polled[count + i] = (struct pollfd){.fd = wakers[i], .events = POLLIN};
  struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  int code = ppoll(polled, count + 2, nanoseconds < 0 ? NULL : &limit, NULL);
  if (code < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < 2; i++) {
    if (!polled[count + i].revents) continue;
    if (wakers[i] == child_ended) counts[SIGCHLD]++;
    empty(wakers[i]);
  }
  int ready = 0;
  for (int i = 0; i < count; i++) ready += set[i].ready = polled[i].revents != 0;
  return ready;
}

// Clocks.

void linux_clock(int monotonic, int64_t *seconds, int64_t *nanoseconds) {
  struct timespec now;
  clock_gettime(monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME, &now);
  *seconds = now.tv_sec;
  *nanoseconds = now.tv_nsec;
}

// Threads.

struct thread_start {
  void (*body)(void *);
  void *context;
};

static void *thread_main(void *argument) {
  struct thread_start start = *(struct thread_start *)argument;
  free(argument);
  // SCHED_BATCH keeps this thread from preempting the main thread when it wakes. An explicit policy is respected. Raw
  // system calls, because some C libraries (musl) have only stubs for the wrappers.
  const struct sched_param none = {0};
  if (syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER) syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &none);
  start.body(start.context);
  return NULL;
}

int linux_thread_start(void (*body)(void *), void *context, uintptr_t *handle) {
  struct thread_start *start = malloc(sizeof *start);
  if (!start) return -ENOMEM;
  *start = (struct thread_start){body, context};
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_t thread;
  int code = pthread_create(&thread, NULL, thread_main, start);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (code != 0) {
    free(start);
    return -code;
  }
  *handle = (uintptr_t)thread;
  return 0;
}

void linux_thread_join(uintptr_t handle) { pthread_join((pthread_t)handle, NULL); }
