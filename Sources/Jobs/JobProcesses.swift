import Posix

/// The processes that belong to one job: the process that was started, and what that process has started.
///
/// This is the only place that answers "whose process is it?". Processes that moved to another group or session are
/// found because they become children of the batch when their parents die (`Children.adoptOrphans`). An adopted process
/// carries no label: as long as the batch runs one job at a time, each process that was not there before belongs to the
/// running job. To run several jobs at once, only this type would need a better answer.
struct JobProcesses {
  /// The process that was started.
  let main: Int32

  /// Takes the exits of all children that have ended, including adopted children.
  ///
  /// - Returns: the exit of the main process; nil while it runs.
  func reapMain() throws(SystemError) -> ChildProcess.Exit? {
    while true {
      switch try Children.reap() {
      case .exited(main, let exit): return exit
      case .exited: continue
      case .none: return nil
      // Cannot happen while this is the only place that waits for children.
      case .childless: throw SystemError("wait for a job (another part took its exit status)", nil, .noChild)
      }
    }
  }

  /// Whether processes of the job are left, after its main process was reaped.
  func remain() throws(SystemError) -> Bool {
    while true {
      switch try Children.reap() {
      case .exited: continue
      case .none: return try Children.hasOthers()
      case .childless: return false
      }
    }
  }

  /// Sends a signal to all processes that are left, whatever their group or session.
  func signalRemaining(_ signal: Int32) throws(SystemError) { try Children.signalDescendants(signal) }

  /// Abandons what is left: processes that no signal ends. Later jobs must not wait for them.
  func abandon() throws(SystemError) { try Children.abandon() }
}
