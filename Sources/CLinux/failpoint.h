// The gate for every system call that changes a file system or orders its writes.
//
// It is compiled in only with BOBBIN_FAILPOINTS. The environment then controls what happens:
//   BOBBIN_FAILPOINT_KILL=n          the process is killed (SIGKILL) instead of making its n-th call
//   BOBBIN_FAILPOINT_FAIL=n:errno    the n-th call fails with that error number and is not made
//   BOBBIN_FAILPOINT_ONLY=name       counts only calls of that name
//   BOBBIN_FAILPOINT_TRACE=path      every call is appended to this file: its number, name and file
#ifndef FAILPOINT_H
#define FAILPOINT_H

#ifdef BOBBIN_FAILPOINTS
#include <errno.h>

// Returns 0, or the error number to fail with. `path` is relative to the directory `descriptor`; without a path, the
// call is about the descriptor itself. Either may be missing (-1, NULL).
int linux_failpoint(const char *call, int descriptor, const char *path);

// For a call that sets errno. The gate is inside the loop that repeats the call after EINTR, so that a failure with
// EINTR is repeated as well.
#define GATED(name, descriptor, path, call)                       \
  ({                                                              \
    int failure_ = linux_failpoint(name, descriptor, path);       \
    if (failure_) errno = failure_;                               \
    failure_ ? -1 : (call);                                       \
  })

// For functions that make several calls. EINTR is not one of their errors.
#define GATE(name, path)                                          \
  do {                                                            \
    int failure_ = linux_failpoint(name, -1, path);               \
    if (failure_) return -failure_;                               \
  } while (0)
#else
#define GATED(name, descriptor, path, call) (call)
#define GATE(name, path) ((void)0)
#endif

#endif
