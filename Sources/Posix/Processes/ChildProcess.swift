import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A started program, in a session and process group of its own. Its exit is a value, not an error.
package struct ChildProcess: ~Copyable {
  /// The process id, which is also the id of its process group.
  package let id: Int32

  package enum Exit: Sendable, Equatable {
    case status(Int32)
    case signal(Int32)
  }

  /// Starts a program. Standard input is `/dev/null`, signals have their default meaning, and the program gets only the
  /// standard descriptors and the lock. The corresponding C functions are `vfork(2)` and `execve(2)`.
  ///
  /// - Parameters:
  ///   - program: a path; PATH is not searched.
  ///   - arguments: with the program's own name first.
  ///   - environment: entries `NAME=value`.
  ///   - variables: more of them; together they are the whole environment of the program.
  ///   - umask: its file mode creation mask, see `umask(2)`.
  ///   - pipes: what it writes to its standard output and standard error goes there.
  ///   - inherited: a lock that the program and all it starts keep holding (see `FileLock`).
  /// - Throws: when it cannot be started; nothing is left behind then.
  package static func start(
    program: String, arguments: CStringArray, environment: CStringArray,
    adding variables: EnvironmentBlock = .init(),
    directory: String, umask: UInt32 = 0o022,
    writingTo pipes: borrowing OutputPipes, inheriting inherited: borrowing FileLock
  ) throws(SystemError) -> ChildProcess {
    var step: Int32 = 0
    let result = program.withCString { program in
      directory.withCString { directory in
        arguments.withPointers(adding: .init()) { arguments in
          environment.withPointers(adding: variables) { environment in
            var request = linux_spawn(
              path: program, arguments: arguments, environment: environment, directory: directory,
              umask: umask, output: pipes.output.writerNumber, error: pipes.error.writerNumber,
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
  static let inheritedNumber: Int32 = 64

  private init(id: Int32) { self.id = id }

  /// Sends a signal to the whole process group, and to the process itself if it has left the group. A process that has
  /// ended is not an error. The corresponding C function is `kill(2)`.
  ///
  /// RACE: the ids of the process and its group are its own until it is reaped. After that, they may be given to other
  /// processes as soon as the group is empty: call this before `Children.reap()` has reported the end of the process.
  package func signalGroup(_ signal: Int32) {
    _ = linux_kill(-id, signal)
    // A process in its own group must not get the signal twice: the second would interrupt the handler of the first.
    if getpgid(id) != id { _ = linux_kill(id, signal) }
  }
}
