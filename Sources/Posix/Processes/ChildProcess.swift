import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A started program, in a session and process group of its own. How it ended is a value, not an error.
package struct ChildProcess: ~Copyable {
  /// The process id, and that of its process group.
  package let id: Int32

  package enum Exit: Sendable, Equatable {
    case status(Int32)
    case signal(Int32)
  }

  /// Starts a program. Standard input is `/dev/null`, signals have their default meaning, and no descriptor but the
  /// standard ones and the lock is handed down. The corresponding C functions are `vfork(2)` and `execve(2)`.
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
    program: String, arguments: CStringArray, environment: CStringArray,
    adding variables: EnvironmentBlock = .init(),
    directory: String,
    writingTo pipes: borrowing OutputPipes, inheriting inherited: borrowing FileLock
  ) throws(SystemError) -> ChildProcess {
    var step: Int32 = 0
    let result = program.withCString { program in
      directory.withCString { directory in
        arguments.withPointers(adding: .init()) { arguments in
          environment.withPointers(adding: variables) { environment in
            var request = linux_spawn(
              path: program, arguments: arguments, environment: environment, directory: directory,
              output: pipes.output.writer.number, error: pipes.error.writer.number,
              inherited: inherited.file.number,
              inherited_as: inheritedNumber)
            return linux_spawn(&request, &step)
          }
        }
      }
    }
    switch step {
    case Int32(LINUX_SPAWN_DIRECTORY): _ = try check(result, "change to the working directory", directory)
    case Int32(LINUX_SPAWN_INPUT): _ = try check(result, "open", "/dev/null")
    default: break
    }
    return ChildProcess(id: try check(result, "start", program))
  }

  /// The number under which a child gets the lock: above those that shell scripts use.
  private static let inheritedNumber: Int32 = 64

  private init(id: Int32) { self.id = id }

  /// Sends a signal to the whole process group, and to the process itself if it has left the group. A process that has
  /// ended is not an error. The corresponding C function is `kill(2)`.
  ///
  /// RACE: the ids of the process and its group are its own until it is reaped. Later they may be given to others, as soon
  /// as the group is empty: call this before `Children.reap()` has reported its end.
  package func signalGroup(_ signal: Int32) {
    _ = linux_kill(-id, signal)
    // Not twice to a process that is in its group: the second signal would interrupt the handler of the first.
    if getpgid(id) != id { _ = linux_kill(id, signal) }
  }
}
