import Glibc
import Posix
import TestSupport
import Testing

@Suite("Threads and what they share", .alone)
struct WorkerTests {
  @Test("A joined worker has done its work")
  func join() throws {
    let done = Monitor(false)
    let worker = try JoinableThread { done.withLock { $0 = true } }
    worker.join()
    #expect(done.withLock { $0 })
  }

  @Test("One thread at a time changes what is shared")
  func access() throws {
    let sum = Monitor(0)
    try inParallel(4) { _ in for _ in 0..<10_000 { sum.withLock { $0 += 1 } } }
    #expect(sum.withLock { $0 } == 40_000)
  }

  @Test("An error inside comes out, and the lock is given back")
  func errors() {
    let value = Monitor(1)
    #expect(throws: Failure.self) {
      try value.withLock { value in
        value = 2
        throw Failure("it goes on")
      }
    }
    #expect(value.withLock { $0 } == 2)
  }

  @Test("A wait ends when another thread has made the change and woken the rest")
  func wait() throws {
    let turn = Monitor(0)
    // Each waits for the one before it, in the order least likely to come by itself.
    try inParallel(4) { number in
      _ = turn.wait { $0 == 3 - number ? true : nil }
      turn.withLock { $0 += 1 }
      turn.notifyAll()
    }
    #expect(turn.withLock { $0 } == 4)
  }

  @Test("A wait with a deadline ends with nil, not before the deadline")
  func deadline() {
    let value = Monitor(0)
    let deadline = MonotonicTime.now() + .milliseconds(15)
    #expect(value.wait(until: deadline) { $0 == 1 ? true : nil } == nil)
    #expect(MonotonicTime.now() >= deadline)
    #expect(value.wait(until: .now() + .seconds(-1)) { $0 == 1 ? true : nil } == nil)
  }

  @Test("What is there already is not waited for, however late it is")
  func late() {
    let value = Monitor(7)
    #expect(value.wait(until: .now() + .seconds(-1)) { $0 } == 7)
    #expect(value.wait { $0 } == 7)
  }

  @Test("The change counts when it comes before the deadline")
  func beforeDeadline() throws {
    let value = Monitor(0)
    let worker = try JoinableThread {
      value.withLock { $0 = 5 }
      value.notifyAll()
    }
    #expect(value.wait(until: .now() + Script.patience) { $0 == 5 ? $0 : nil } == 5)
    worker.join()
  }

  @Test("A worker leaves signals to others, and changes nothing for its starter")
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
