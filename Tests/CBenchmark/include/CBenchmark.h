// The bare loops that Bobbin is measured against, which make the same system calls and nothing else. Also what the
// benchmark itself needs from the system: starting a program, waiting for it, and finding out how much memory it used.
//
// As in CLinux, a function returns its result, zero or more, or the negated errno.
#ifndef CBENCHMARK_H
#define CBENCHMARK_H

#include <stddef.h>
#include <stdint.h>

// Starts /bin/true and waits for it, `count` times. Returns the nanoseconds that this took.
int64_t bare_spawn_loop(int count);

// Writes `count` files with this content into a directory, each as durably as a trigger must be: create, write, fsync,
// rename, fsync of the directory. Returns the nanoseconds that this took.
int64_t bare_submit_loop(const char *directory, const void *content, size_t size, int count);

struct program_end {
  int status;          // The exit status, when signal is 0.
  int signal;          // The signal that ended the program, or 0.
  int64_t peak_bytes;  // The most resident memory of the program, or of one of the children it waited for.
};

// Starts a program with this process's environment; standard input is /dev/null, standard output the file `output`,
// standard error the file `errors`, or this process's own if `errors` is NULL. `words` are `count` strings one after
// the other, each with its terminating zero: the path of the program, then its arguments. Returns the process id.
int program_start(const char *words, int count, const char *output, const char *errors);

// Waits for a program. The kernel counts its peak from its start, when it still shares the memory of the process that
// started it. So the peak is never below the resident memory of this process (see own_peak_bytes).
int program_wait(int process, struct program_end *end);

// Sends a signal to a program.
int program_signal(int process, int signal);

// The most resident memory that this process has had.
int64_t own_peak_bytes(void);

// Makes ext4 put each new directory in this directory on another part of the disk, as it does in the root directory
// (chattr +T). Without a journal, ext4 skips the inodes that were freed in the last minutes, one by one, so the files
// that one measurement has removed would slow down the next.
int spread_directories(const char *path);

// Makes SIGINT and SIGTERM only set a flag, so that the benchmark can remove its files before it ends.
int interrupts_heed(void);
// Whether SIGINT or SIGTERM has arrived: 1 or 0.
int interrupts_seen(void);

#endif
