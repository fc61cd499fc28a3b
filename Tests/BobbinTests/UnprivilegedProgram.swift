import Foundation
import TestSupport

/// Bobbin run by a user without special rights: the user who runs the tests, or `nobody` if that is root.
struct UnprivilegedProgram {
  private static let nobody = "65534"
  /// A working directory that does not have a configuration in its `etc`.
  private static let nowhere = "/proc"
  private let program: Program
  private let instance: TestInstance

  init(in instance: TestInstance) throws {
    self.instance = instance
    guard geteuid() == 0 else {
      program = Program("/usr/bin/env", ["-C", Self.nowhere, try Program.bobbin().path])
      return
    }
    // Not everybody may enter the build directory or a temporary directory.
    let copy = try instance.directory.path("bobbin")
    try FileManager.default.copyItem(atPath: Program.bobbin().path, toPath: copy)
    chmod(instance.directory.path, 0o755)
    program = Program(
      "/usr/bin/env",
      [
        "-C", Self.nowhere, "setpriv", "--reuid", Self.nobody, "--regid", Self.nobody, "--clear-groups", "--",
        copy,
      ])
  }

  /// - Parameter isConfigured: whether the program gets the instance's configuration with `--config`.
  func start(
    _ arguments: [String], environment: [String: String] = [:], isConfigured: Bool = true
  ) throws -> RunningProgram {
    try program.start(
      (isConfigured ? ["--config", instance.configuration] : []) + arguments, environment: environment,
      outputIn: instance.directory)
  }
}
