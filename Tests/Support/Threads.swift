import Posix

/// Runs `body` on several threads at once and waits for all of them.
package func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
  let hasBegun = Monitor(false)
  // Recursive, because a thread cannot be copied into an array. Each thread is joined on the way back.
  func start(_ number: Int) throws {
    guard number < count else {
      // All threads begin together, so that they compete.
      hasBegun.withLock { $0 = true }
      hasBegun.notifyAll()
      return
    }
    let worker = try JoinableThread {
      _ = hasBegun.wait { $0 ? true : nil }
      body(number)
    }
    let rest = Result { try start(number + 1) }
    if case .failure = rest {
      hasBegun.withLock { $0 = true }
      hasBegun.notifyAll()
    }
    worker.join()
    try rest.get()
  }
  try start(0)
}
