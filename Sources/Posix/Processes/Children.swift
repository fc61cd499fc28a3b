import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The children of this process, including those that it inherited from dead children.
package enum Children {
  /// Children that were not left behind by a job, with everything that they start: the children that this process had
  /// before it began to adopt (`sh -c 'daemon & exec bobbin run'`), and the children that were abandoned.
  private static let strangers = Monitor<Set<Int32>>([])

  /// From now on, processes that a dead child leaves behind become children of this process instead of init, so that
  /// they can be found and ended. The corresponding C function is `prctl(2)` with `PR_SET_CHILD_SUBREAPER`.
  package static func adoptOrphans() throws(SystemError) {
    _ = try check(linux_become_subreaper(), "adopt orphaned processes", nil)
    // A child that has ended already says nothing about the others.
    while true {
      switch try reap() {
      case .exited: continue
      // This is nearly always so, and then `/proc` need not be read.
      case .childless: return
      case .none:
        let found = try ProcessTable.children(of: getpid())
        strangers.withLock { $0 = Set(found) }
        return
      }
    }
  }

  package enum Reaped: Sendable, Equatable {
    /// The child with this id has ended in this way. Its id may be given to another process from now on.
    case exited(Int32, ChildProcess.Exit)
    /// There are children, and all of them are running.
    case none
    /// This process does not have children.
    case childless
  }

  /// Takes the exit of one child that has ended, without waiting. The corresponding C function is `waitpid(2)`.
  package static func reap() throws(SystemError) -> Reaped {
    var exit = linux_exit()
    let result = linux_wait(-1, WNOHANG, &exit)
    if result == -ECHILD { return .childless }
    let id = try check(result, "wait for a child process", nil)
    if id == 0 { return .none }
    // The id may belong to another process now.
    strangers.withLock { if !$0.isEmpty { $0.remove(id) } }
    return .exited(id, exit.signal != 0 ? .signal(exit.signal) : .status(exit.status))
  }

  /// Takes the exits of all children that have ended, without waiting. For a process that waits for none of them: process 1
  /// of a container is the parent of everything there that has lost its own.
  package static func reapAll() throws(SystemError) {
    while case .exited = try reap() {}
  }

  /// Whether there are children besides the strangers, after `reap()` has said that there are children (`.none`).
  ///
  /// - Throws: when `/proc` cannot be read.
  package static func hasOthers() throws(SystemError) -> Bool {
    let strangers = strangers.withLock { $0 }
    if strangers.isEmpty { return true }
    return try ProcessTable.children(of: getpid()).contains { !strangers.contains($0) }
  }

  /// Abandons all present children: processes that signals do not end. They are ignored from now on.
  ///
  /// - Throws: when `/proc` cannot be read; nothing is abandoned then.
  package static func abandon() throws(SystemError) {
    let found = try ProcessTable.children(of: getpid())
    strangers.withLock { $0.formUnion(found) }
  }

  /// Sends a signal to every descendant that `/proc` knows, whatever process group or session it moved to.
  ///
  /// RACE: a descendant that is not a child of this process may end, be reaped by its parent, and have its id reused
  /// before the signal is sent, which would then reach another process. The kernel allocates ids in sequence, so reuse
  /// in this window takes tens of thousands of forks. The id of a child stays its own until `reap()`.
  package static func signalDescendants(_ signal: Int32) throws(SystemError) {
    let strangers = strangers.withLock { $0 }
    for id in try ProcessTable.descendants(of: getpid(), except: strangers) { _ = linux_kill(id, signal) }
  }
}
