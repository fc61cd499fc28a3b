import Foundation
import Posix

/// A program under test, run as a user would run it: with arguments and an environment, in a separate process.
package struct Program: Sendable {
  package let path: String
  package let arguments: [String]

  /// The program at a path.
  package init(_ path: String, _ arguments: [String] = []) {
    self.path = path
    self.arguments = arguments
  }

  /// The `bobbin` that was built together with the running tests. It is beside the bundle of the tests.
  package static func bobbin() throws -> Program {
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let beside = (executable as NSString).deletingLastPathComponent + "/bobbin"
    guard FileManager.default.isExecutableFile(atPath: beside) else {
      throw Failure("there is no bobbin at \(beside); to build it, run: swift build --product bobbin")
    }
    return Program(beside)
  }

  /// Starts the program. Its standard input is `/dev/null`. Its output goes to files, so that the program does not
  /// block when nobody reads, and the test does not wait for a process that the program leaves behind.
  ///
  /// - Parameters:
  ///   - environment: added to the environment of the tests, from which all variables that Bobbin reads are removed.
  ///   - directory: where the standard output and standard error of the program are kept.
  package func start(
    _ more: [String] = [], environment: [String: String] = [:], outputIn directory: TemporaryDirectory
  ) throws -> RunningProgram {
    let name = ".output-\(UUID().uuidString)"
    let (output, error) = ("\(directory.path)/\(name).out", "\(directory.path)/\(name).err")
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_addopen(&actions, 2, error, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    // The runner of the tests may ignore signals that a shell does not ignore.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var (all, none) = (sigset_t(), sigset_t())
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    var variables = ProcessInfo.processInfo.environment.filter { name, _ in
      !name.hasPrefix("BOBBIN_") && !["USER", "XDG_CONFIG_HOME"].contains(name)
    }
    variables["HOME"] = directory.path
    variables.merge(environment) { _, new in new }
    var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments + more).map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var id: pid_t = 0
    let result = posix_spawn(&id, path, &actions, &attributes, &argv, &envp)
    guard result == 0 else { throw SystemError("start", path, .init(result)) }
    return RunningProgram(id: id, output: output, error: error, directory: directory)
  }
}
