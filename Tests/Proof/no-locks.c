// A file system that lies: every flock(2) succeeds, whoever else has the lock. To be preloaded.

int flock(int descriptor, int operation) {
  (void)descriptor;
  (void)operation;
  return 0;
}
