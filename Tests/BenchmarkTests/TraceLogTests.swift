import TestSupport
import Testing

@testable import benchmark

@Suite("System calls of a poll in a trace", .alone)
struct TraceLogTests {
  @Test(
    "Calls are counted from one sleep to the next, and the incomplete polls at both ends are left out",
    arguments: ["77   ", "4711 ", "12345", "1234567"])
  func polls(id: String) {
    let log = """
      \(id) restart_syscall(<... resuming interrupted call ...>) = 0
      \(id) fstat(3, {st_mode=S_IFDIR|0755, st_size=4096, ...}) = 0
      \(id) ppoll([{fd=4, events=POLLIN}], 1, {tv_sec=0, tv_nsec=10000000}, NULL, 8) = 0 (Timeout)
      \(id) fstat(3, {st_mode=S_IFDIR|0755, st_size=4096, ...}) = 0
      \(id) openat(3, "(x)", O_RDONLY) = 5
      \(id) ppoll([{fd=4, events=POLLIN}], 1, {tv_sec=0, tv_nsec=10000000}, NULL, 8) = 0 (Timeout)
      \(id) fstat(3, {st_mode=S_IFDIR|0755, st_size=4096, ...}) = 0
      """
    #expect(TraceLog.callsPerPoll(log) == 2.5)
  }

  @Test("A call that is shown in two parts because of another thread is counted once")
  func resumed() {
    let log = """
      77 ppoll([{fd=4}], 1, NULL, NULL, 8 <unfinished ...>
      78 futex(0x1, FUTEX_WAIT, 0, NULL) = 0
      77 <... ppoll resumed>) = 0 (Timeout)
      77 ppoll([{fd=4}], 1, NULL, NULL, 8) = 0 (Timeout)
      77 +++ exited with 0 +++
      """
    #expect(TraceLog.callsPerPoll(log) == 2)
  }

  @Test(
    "A trace without a whole poll does not give a figure",
    arguments: ["", "77 ppoll(NULL, 0, NULL, NULL, 8) = 0\n"])
  func empty(log: String) { #expect(TraceLog.callsPerPoll(log) == nil) }
}
