import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A value that threads share: one thread at a time accesses it, and a thread can wait for another to change it.
package final class Monitor<Value>: @unchecked Sendable {
  // @unchecked: `value` is accessed only while `mutex` is locked.
  private var value: Value
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  package init(_ value: sending Value) {
    self.value = value
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Reads or changes the value. Wakes no thread: a caller whose change another thread waits for calls `notifyAll()`
  /// afterwards. (Waking a thread in vain costs more than most of the work done here.)
  package func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }

  /// Lets every waiting thread check the value again.
  package func notifyAll() { pthread_cond_broadcast(changed) }

  /// Waits until `body` returns something.
  package func wait<Result>(_ body: (inout Value) -> Result?) -> Result {
    while true {
      if let result = wait(until: nil, body) { return result }
    }
  }

  /// Waits until `body` returns something, or the deadline has passed.
  ///
  /// - Parameter deadline: nil waits for ever.
  /// - Returns: nil when the deadline passed first.
  package func wait<Result>(until deadline: MonotonicTime?, _ body: (inout Value) -> Result?) -> Result? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&value) { return result }
      guard let deadline else {
        pthread_cond_wait(changed, mutex)
        continue
      }
      var end = timespec()
      end.tv_sec = time_t(deadline.nanoseconds / 1_000_000_000)
      end.tv_nsec = Int(deadline.nanoseconds % 1_000_000_000)
      if pthread_cond_timedwait(changed, mutex, &end) == ETIMEDOUT { return body(&value) }
    }
  }
}
