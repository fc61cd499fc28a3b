import Glibc
import Posix
import TestSupport
import Testing

@Suite("Threads and shared values", .alone)
struct WorkerTests {
  @Test("A thread that was joined has done its work")
  func join() throws {
    let done = Monitor(false)
    let worker = try JoinableThread { done.withLock { $0 = true } }
    worker.join()
    #expect(done.withLock { $0 })
  }

  @Test("Only one thread at a time changes a shared value")
  func access() throws {
    let sum = Monitor(0)
    try inParallel(4) { _ in for _ in 0..<10_000 { sum.withLock { $0 += 1 } } }
    #expect(sum.withLock { $0 } == 40_000)
  }

  @Test("An error in the body is rethrown, and the lock is released")
  func errors() {
    let value = Monitor(1)
    #expect(throws: Failure.self) {
      try value.withLock { value in
        value = 2
        throw Failure("the body failed")
      }
    }
    #expect(value.withLock { $0 } == 2)
  }

  @Test("A wait ends when another thread has made the change and notified the waiting threads")
  func wait() throws {
    let turn = Monitor(0)
    // The threads take turns in the reverse order of their start, which is unlikely to happen by chance.
    try inParallel(4) { number in
      _ = turn.wait { $0 == 3 - number ? true : nil }
      turn.withLock { $0 += 1 }
      turn.notifyAll()
    }
    #expect(turn.withLock { $0 } == 4)
  }

  @Test("A wait with a deadline returns nil at the deadline, not before it")
  func deadline() {
    let value = Monitor(0)
    let deadline = MonotonicTime.now() + .milliseconds(15)
    #expect(value.wait(until: deadline) { $0 == 1 ? true : nil } == nil)
    #expect(MonotonicTime.now() >= deadline)
    #expect(value.wait(until: .now() + .seconds(-1)) { $0 == 1 ? true : nil } == nil)
  }

  @Test("A wait for a condition that is already true returns at once, even after the deadline")
  func late() {
    let value = Monitor(7)
    #expect(value.wait(until: .now() + .seconds(-1)) { $0 } == 7)
    #expect(value.wait { $0 } == 7)
  }

  @Test("A wait returns a change that comes before the deadline")
  func beforeDeadline() throws {
    let value = Monitor(0)
    let worker = try JoinableThread {
      value.withLock { $0 = 5 }
      value.notifyAll()
    }
    #expect(value.wait(until: .now() + Script.patience) { $0 == 5 ? $0 : nil } == 5)
    worker.join()
  }

  @Test("A thread blocks signals for itself, and does not change the signal mask of its starter")
  func signals() throws {
    let before = blockedSignals()
    let blocked = Monitor<[Int32]>([])
    let worker = try JoinableThread {
      let signals = blockedSignals()
      blocked.withLock { $0 = signals }
    }
    worker.join()
    #expect(Set([SIGTERM, SIGINT, SIGHUP, SIGCHLD]).isSubset(of: blocked.withLock { $0 }))
    #expect(blockedSignals() == before)
  }
}

private func blockedSignals() -> [Int32] {
  var mask = sigset_t()
  pthread_sigmask(SIG_BLOCK, nil, &mask)
  return (1..<32).filter { sigismember(&mask, $0) == 1 }
}
