import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A started program with its own process group. How it ended is a value, not an error.
package struct ChildProcess: ~Copyable {
  /// The process id, and that of its process group.
  package let id: Int32

  package enum Exit: Sendable, Equatable {
    case status(Int32)
    case signal(Int32)
  }

  /// Starts a program. Standard input is `/dev/null`, signals have their default meaning, and no descriptor but the
  /// standard ones and the lock is handed down. The corresponding C function is `posix_spawn(3)`.
  ///
  /// - Parameters:
  ///   - program: a path; PATH is not searched.
  ///   - arguments: with the program's own name first.
  ///   - environment: entries `NAME=value`.
  ///   - variables: more of them; together they are the whole environment of the program.
  ///   - pipes: what it writes to its standard output and standard error goes there.
  ///   - inherited: a lock that the program and all it starts keep holding (see `FileLock`).
  /// - Throws: when it cannot be started; nothing is left behind then.
  package static func start(
    program: String, arguments: CStrings, environment: CStrings, adding variables: [String] = [],
    directory: String,
    writingTo pipes: borrowing OutputPipes, inheriting inherited: borrowing FileLock
  ) throws(SystemError) -> ChildProcess {
    let result = program.withCString { program in
      directory.withCString { directory in
        arguments.withPointers(adding: []) { arguments in
          environment.withPointers(adding: variables) { environment in
            var request = linux_spawn(
              path: program, arguments: arguments, environment: environment, directory: directory,
              output: pipes.output.writer.number, error: pipes.error.writer.number,
              inherited: inherited.file.number,
              inherited_as: inheritedNumber)
            return linux_spawn(&request)
          }
        }
      }
    }
    return ChildProcess(id: try check(result, "start", program))
  }

  /// The number under which a child gets the lock: above those that shell scripts use.
  private static let inheritedNumber: Int32 = 64

  private init(id: Int32) { self.id = id }

  /// Sends a signal to the whole process group. A group that is gone is not an error. The corresponding C function is
  /// `kill(2)`.
  package func signalGroup(_ signal: Int32) { _ = linux_kill(-id, signal) }
}

/// The children of this process, those it inherited from dead children among them.
package enum Children {
  /// From now on, what a dead child leaves behind becomes a child of this process instead of init's, so that it can
  /// be found and ended. The corresponding C function is `prctl(2)` with `PR_SET_CHILD_SUBREAPER`.
  package static func adoptOrphans() { _ = linux_become_subreaper() }

  package enum Reaped: Sendable, Equatable {
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
    return .exited(id, exit.signal != 0 ? .signal(exit.signal) : .status(exit.status))
  }

  /// Sends a signal to every descendant that `/proc` knows, whatever process group or session it moved to.
  package static func signalDescendants(_ signal: Int32) throws(SystemError) {
    for id in try ProcessTable.descendants(of: getpid()) { _ = linux_kill(id, signal) }
  }
}
