import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The children of this process, those it inherited from dead children among them.
package enum Children {
  /// Children that are nobody's leftovers, with all that they start: those that this process had before it began to adopt
  /// (`sh -c 'daemon & exec bobbin run'`), and those that were given up.
  private static let strangers = Monitor<Set<Int32>>([])

  /// From now on, what a dead child leaves behind becomes a child of this process instead of init's, so that it can
  /// be found and ended. The corresponding C function is `prctl(2)` with `PR_SET_CHILD_SUBREAPER`.
  package static func adoptOrphans() throws(SystemError) {
    _ = try check(linux_become_subreaper(), "adopt orphaned processes", nil)
    // Without any child, which is nearly always so, nobody has to be looked for.
    guard try reap() == .none else { return }
    let found = try ProcessTable.children(of: getpid())
    strangers.withLock { $0 = Set(found) }
  }

  package enum Reaped: Sendable, Equatable {
    /// The child of this id has ended so. Its id may be given to another process from now on.
    case exited(Int32, ChildProcess.Exit)
    /// There are children, and none has ended.
    case none
    /// There is no child at all.
    case childless
  }

  /// Takes the exit of one child that has ended, without waiting. The corresponding C function is `waitpid(2)`.
  package static func reap() throws(SystemError) -> Reaped {
    var exit = linux_exit()
    let result = linux_wait(-1, WNOHANG, &exit)
    if result == -ECHILD { return .childless }
    let id = try check(result, "wait for a child process", nil)
    if id == 0 { return .none }
    // Its id may be another's now.
    strangers.withLock { if !$0.isEmpty { $0.remove(id) } }
    return .exited(id, exit.signal != 0 ? .signal(exit.signal) : .status(exit.status))
  }

  /// Whether there are children besides the strangers, after `reap()` has said that there are children (`.none`).
  ///
  /// - Throws: when `/proc`, in which they are looked for, cannot be read.
  package static func hasOthers() throws(SystemError) -> Bool {
    let strangers = strangers.withLock { $0 }
    if strangers.isEmpty { return true }
    return try ProcessTable.children(of: getpid()).contains { !strangers.contains($0) }
  }

  /// Leaves out from now on whoever is there now: processes that do not end for any signal.
  ///
  /// - Throws: when `/proc`, in which they are looked for, cannot be read; then nobody is left out.
  package static func giveUp() throws(SystemError) {
    let found = try ProcessTable.children(of: getpid())
    strangers.withLock { $0.formUnion(found) }
  }

  /// Sends a signal to every descendant that `/proc` knows, whatever process group or session it moved to.
  ///
  /// RACE: a descendant that is no child of this process may end, be reaped by its parent, and have its id given out anew
  /// between the look and the signal, which would then meet a stranger. Ids are given out in turn, so in so short a
  /// time only a machine that starts processes by the ten thousand comes round to one. A child's id stays until `reap()`.
  package static func signalDescendants(_ signal: Int32) throws(SystemError) {
    let strangers = strangers.withLock { $0 }
    for id in try ProcessTable.descendants(of: getpid(), except: strangers) { _ = linux_kill(id, signal) }
  }
}
