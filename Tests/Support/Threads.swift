import Posix

/// Runs `body` on several threads at once and waits for all of them.
package func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
  let hasBegun = Shared(false)
  // A recursion, because a worker cannot be copied into an array: each is joined on the way back.
  func start(_ number: Int) throws {
    guard number < count else {
      // All begin together, so that they meet.
      hasBegun.access { $0 = true }
      hasBegun.wake()
      return
    }
    let worker = try Worker {
      _ = hasBegun.wait { $0 ? true : nil }
      body(number)
    }
    let rest = Result { try start(number + 1) }
    if case .failure = rest {
      hasBegun.access { $0 = true }
      hasBegun.wake()
    }
    worker.join()
    try rest.get()
  }
  try start(0)
}
