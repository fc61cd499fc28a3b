// What Bobbin is measured against: the same system calls with nothing around them. And what the benchmark itself needs
// from the system: starting a program, and learning how long it took and how much memory it had.
//
// Convention, as in CLinux: a function returns its result, zero or more, or the negated errno.
#ifndef CBENCHMARK_H
#define CBENCHMARK_H

#include <stddef.h>
#include <stdint.h>

// Starts /bin/true and waits for it, `count` times. The nanoseconds it took.
int64_t bare_spawn_loop(int count);

// Writes `count` files with this content into a directory, each as durably as a trigger must be: create, write, fsync,
// rename, fsync of the directory. The nanoseconds it took.
int64_t bare_submit_loop(const char *directory, const void *content, size_t size, int count);

struct program_end {
  int status;          // The exit status, when signal is 0.
  int signal;          // The signal that ended the program, or 0.
  int64_t peak_bytes;  // The most memory it, or one of the children it waited for, had resident.
};

// Starts a program with this process's environment; standard input is /dev/null, standard output the file `output`,
// standard error the file `errors`, or that of this process when it is NULL. `words` are `count` strings one after the other, each with its zero: the path of the program, then its arguments. The
// process id.
int program_start(const char *words, int count, const char *output, const char *errors);

// Waits for it. The kernel counts a program's peak from its start, when it still shares the memory of the
// one that started it: a peak is never below what this process has resident (see own_peak_bytes).
int program_wait(int process, struct program_end *end);

int program_signal(int process, int signal);

int64_t own_peak_bytes(void);

// Has ext4 put each new directory in this one on another part of the disk, as it does in the root directory (chattr +T).
// Without a journal it passes over inodes that were freed in the last minutes, one by one: what one measurement has
// removed would slow down the next.
int spread_directories(const char *path);

// From now on SIGINT and SIGTERM only set a flag, so that nobody is left with a million files to remove.
int interrupts_heed(void);
int interrupts_seen(void);

#endif
