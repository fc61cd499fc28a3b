import CLinux

/// A thread that runs a body. It must be joined before the values that it uses go away.
package struct JoinableThread: ~Copyable {
  private let handle: UInt

  /// Starts the thread with all signals blocked and, unless the user has chosen a policy, with SCHED_BATCH (see
  /// `sched(7)`). The corresponding C function is `pthread_create(3)`.
  package init(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
    let box = Unmanaged.passRetained(Body(body))
    var handle: UInt = 0
    let result = linux_thread_start(
      { context in Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run() }, box.toOpaque(), &handle)
    if result < 0 { box.release() }
    do throws(SystemError) { _ = try check(result, "start a thread", nil) } catch {
      guard error.code == .notPermitted else { throw error }
      // The C library does without clone3(2) only after ENOSYS.
      throw error.withRemedy(
        "the container's filter of system calls refuses clone3(2), as Docker before 20.10.10 does: upgrade the host's"
          + " container software, or loosen the filter: docker run --security-opt seccomp=unconfined")
    }
    self.handle = handle
  }

  /// Waits for the end of the thread. The corresponding C function is `pthread_join(3)`.
  package consuming func join() { linux_thread_join(handle) }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
