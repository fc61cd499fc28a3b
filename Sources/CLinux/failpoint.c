#define _GNU_SOURCE
#include "failpoint.h"

#ifdef BOBBIN_FAILPOINTS
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static long calls, kill_at, fail_at;
static int fail_with, trace = -1, ready;
static const char *only;

static void read_environment(void) {
  const char *text = getenv("BOBBIN_FAILPOINT_KILL");
  if (text) kill_at = strtol(text, NULL, 10);
  text = getenv("BOBBIN_FAILPOINT_FAIL");
  if (text) {
    char *colon;
    fail_at = strtol(text, &colon, 10);
    fail_with = *colon == ':' ? atoi(colon + 1) : 0;
  }
  only = getenv("BOBBIN_FAILPOINT_ONLY");
  text = getenv("BOBBIN_FAILPOINT_TRACE");
  if (text) trace = open(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  ready = 1;
}

static void write_trace(const char *call, int descriptor, const char *path) {
  char link[32], about[4096] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  if (descriptor >= 0 && !(path && *path == '/')) {
    ssize_t length = readlink(link, about, sizeof about - 1);
    if (length >= 0) about[length] = 0;
  }
  dprintf(trace, "%ld %s %s%s%s\n", calls, call, about, path && *about ? "/" : "", path ? path : "");
}

int linux_failpoint(const char *call, int descriptor, const char *path) {
  int result = 0;
  pthread_mutex_lock(&guard);
  if (!ready) read_environment();
  if (!only || strcmp(only, call) == 0) {
    calls++;
    if (trace >= 0) write_trace(call, descriptor, path);
    if (calls == kill_at) kill(getpid(), SIGKILL);
    if (calls == fail_at) result = fail_with;
  }
  pthread_mutex_unlock(&guard);
  return result;
}
#endif
