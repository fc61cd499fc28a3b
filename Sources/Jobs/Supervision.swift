import Posix

/// How the supervision of a started job ended.
struct Supervision {
  enum Ending: Equatable {
    case exited(ChildProcess.Exit)
    case timedOut
    /// It wrote nothing for too long.
    case stalled
    /// The batch was asked to stop by this signal.
    case interrupted(Int32)
  }

  var ending: Ending
  /// The job ended by itself and left neither a process nor output behind, so its pipes can be used again. (A process
  /// that was given the descriptors, or took them from /proc, could still hold them; such a process can do worse.)
  var isClean = false
  /// The job left processes behind that did not end by themselves in time.
  var endedLeftovers = false
  /// Why the processes that it left behind could not be found or ended.
  var trouble: SystemError?
}
