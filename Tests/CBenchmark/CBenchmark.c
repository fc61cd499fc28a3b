#define _GNU_SOURCE
#include "CBenchmark.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

// The bare loops.

int64_t bare_spawn_loop(int count) {
  char *arguments[] = {"/bin/true", NULL};
  int64_t begin = now();
  for (int i = 0; i < count; i++) {
    pid_t process;
    int status;
    int error = posix_spawn(&process, arguments[0], NULL, NULL, arguments, environ);
    if (error) return -error;
    while (waitpid(process, &status, 0) < 0)
      if (errno != EINTR) return -errno;
    if (status != 0) return -ECHILD;
  }
  return now() - begin;
}

static int submit(int directory, const void *content, size_t size, int number) {
  char temporary[32], name[32];
  snprintf(temporary, sizeof temporary, ".bare-%d", number);
  snprintf(name, sizeof name, "bare-%08d.json", number);
  int file = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return -errno;
  ssize_t written = write(file, content, size);
  int result = written == (ssize_t)size ? 0 : written < 0 ? -errno : -ENOSPC;
  if (result == 0 && fsync(file) < 0) result = -errno;
  close(file);
  if (result == 0 && renameat(directory, temporary, directory, name) < 0) result = -errno;
  if (result == 0 && fsync(directory) < 0) result = -errno;
  return result;
}

int64_t bare_submit_loop(const char *path, const void *content, size_t size, int count) {
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -errno;
  int64_t begin = now();
  int result = 0;
  for (int i = 0; i < count && result == 0; i++) result = submit(directory, content, size, i);
  int64_t time = now() - begin;
  close(directory);
  return result < 0 ? result : time;
}

// Programs.

int program_start(const char *words, int count, const char *output, const char *errors) {
  char *arguments[count + 1];
  for (int i = 0; i < count; i++) {
    arguments[i] = (char *)words;
    words += strlen(words) + 1;
  }
  arguments[count] = NULL;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (errors) posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  pid_t process;
  int error = posix_spawn(&process, arguments[0], &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  return error ? -error : process;
}

int program_wait(int process, struct program_end *end) {
  int status;
  struct rusage usage;
  while (wait4(process, &status, 0, &usage) < 0)
    if (errno != EINTR) return -errno;
  end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end->peak_bytes = usage.ru_maxrss * INT64_C(1024);
  return 0;
}

int program_signal(int process, int signal) { return kill(process, signal) < 0 ? -errno : 0; }

int64_t own_peak_bytes(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) < 0) return -errno;
  return usage.ru_maxrss * INT64_C(1024);
}

// Interrupts.

static volatile sig_atomic_t interrupted;

static void note_interrupt(int signal) {
  (void)signal;
  interrupted = 1;
}

int interrupts_heed(void) {
  struct sigaction action = {.sa_handler = note_interrupt, .sa_flags = SA_RESTART};
  if (sigaction(SIGINT, &action, NULL) < 0 || sigaction(SIGTERM, &action, NULL) < 0) return -errno;
  return 0;
}

int interrupts_seen(void) { return interrupted; }

int spread_directories(const char *path) {
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -errno;
  int flags = 0, result = ioctl(directory, FS_IOC_GETFLAGS, &flags);
  flags |= FS_TOPDIR_FL;
  if (result == 0) result = ioctl(directory, FS_IOC_SETFLAGS, &flags);
  if (result < 0) result = -errno;
  close(directory);
  return result;
}
