// The gate that every changing or ordering system call passes.
//
// Compiled in only with BOBBIN_FAILPOINTS. The environment then says what happens:
//   BOBBIN_FAILPOINT_KILL=n          the process is killed (SIGKILL) instead of making its n-th call
//   BOBBIN_FAILPOINT_FAIL=n:errno    the n-th call fails with that error number and is not made
//   BOBBIN_FAILPOINT_ONLY=name       counts only calls of that name
//   BOBBIN_FAILPOINT_TRACE=path      every call is appended to this file: its number and its name
#ifndef FAILPOINT_H
#define FAILPOINT_H

#ifdef BOBBIN_FAILPOINTS
int linux_failpoint(const char *call);  // 0, or the negated errno to fail with.
#define GATE(call)                              \
  do {                                          \
    int failure = linux_failpoint(call);        \
    /* After EINTR the call would be repeated at once. */ \
    if (failure < 0 && failure != -EINTR) return failure; \
  } while (0)
#else
#define GATE(call) ((void)0)
#endif

#endif
