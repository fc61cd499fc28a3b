import Foundation
import TestSupport
import Testing

/// The file that is read, and the base of its relative paths. The order of the places is tested in `CommandLineTests`.
@Suite("The configuration file", .alone)
struct ConfigurationFileTests {
  /// Runs Bobbin in a working directory of the instance, without `--config`.
  private func bobbin(
    in folder: String, _ arguments: [String], of instance: TestInstance, environment: [String: String] = [:]
  ) throws -> ProgramResult {
    try Program(
      "/usr/bin/env", ["-C", "\(instance.directory.path)/\(folder)", try Program.bobbin().path] + arguments
    ).start(environment: environment, outputIn: instance.directory).wait()
  }

  @Test(
    "A configuration has the same spool for every path that leads to its file",
    arguments: [
      ("etc", "bobbin.json5"), ("etc", "./bobbin.json5"), ("etc/handlers", "../bobbin.json5"),
      (".", "etc/handlers/../bobbin.json5"), (".", "linked/bobbin.json5"), ("linked", "bobbin.json5"),
      ("other/place", "../../linked/../etc//bobbin.json5"),
    ])
  func oneSpool(folder: String, path: String) throws {
    let instance = try TestInstance()
    try instance.directory.symbolicLink("linked", to: "elsewhere/instance/etc")
    try instance.directory.symbolicLink("elsewhere/instance/etc", to: "\(instance.directory.path)/etc")
    _ = try instance.directory.path("other/place/x")
    let check = try bobbin(in: folder, ["--config", path, "check"], of: instance)
    #expect(check.status == 0, "\(check)")
    #expect(
      check.output.hasPrefix(
        """
        configuration: \(instance.configuration)
        spool:         \(instance.spool)
        library:       \(instance.directory.path)/library

        """))
    let named = try bobbin(
      in: folder, ["trigger", "demo", "--queue"], of: instance, environment: ["BOBBIN_CONFIG": path])
    #expect(named.status == 0, "\(named)")
    #expect(try instance.pending().count == 1)
  }

  @Test("The paths of a configuration that is a symbolic link are relative to the link")
  func linkedFile() throws {
    let instance = try TestInstance()
    try instance.directory.symbolicLink("site/etc/bobbin.json5", to: instance.configuration)
    let check = try bobbin(in: "site", ["check"], of: instance)
    #expect(
      check.outputLines.prefix(2) == [
        "configuration: \(instance.directory.path)/site/etc/bobbin.json5",
        "spool:         \(instance.directory.path)/site/spool (missing; a run makes it)",
      ])
  }

  @Test("A configuration with an absolute path is found in a working directory that was removed")
  func noWorkingDirectory() throws {
    let instance = try TestInstance()
    _ = try instance.directory.path("gone/x")
    let script = "cd \"$0\" && rmdir \"$0\" && exec \"$1\" --config \"$2\" status --json"
    let result = try Program(
      "/bin/sh",
      [
        "-c", script, "\(instance.directory.path)/gone", try Program.bobbin().path, instance.configuration,
      ]
    ).start(outputIn: instance.directory).wait()
    #expect(result.status == 0, "\(result)")
    #expect(try result.json["state"] == "idle")
  }

  @Test("A configuration that cannot be read is reported with the option or variable that names it")
  func unreadable() throws {
    let instance = try TestInstance()
    try instance.directory.fifo("etc/fifo")
    for (path, problem) in [
      ("/nowhere/x.json5", "cannot open '/nowhere/x.json5': No such file or directory"),
      (instance.spool, "'\(instance.spool)' is not a regular file"),
      ("\(instance.directory.path)/etc/fifo", "'\(instance.directory.path)/etc/fifo' is not a regular file"),
      ("/dev/null", "'/dev/null' is not a regular file"),
    ] {
      let option = try bobbin(in: ".", ["--config", path, "status"], of: instance)
      #expect(option.status == 78)
      #expect(
        option.error == "bobbin: the configuration that --config names cannot be used: \(problem)\n")
      let variable = try bobbin(in: ".", ["status"], of: instance, environment: ["BOBBIN_CONFIG": path])
      #expect(variable.status == 78)
      #expect(
        variable.error
          == "bobbin: the configuration that $BOBBIN_CONFIG names cannot be used: \(problem)\n")
    }
  }

  @Test("An empty name of a configuration is refused", arguments: [["--config", ""], ["--config="]])
  func emptyName(option: [String]) throws {
    let instance = try TestInstance()
    let result = try bobbin(in: ".", option + ["status"], of: instance)
    #expect(result.status == 64)
    #expect(result.error == "bobbin: --config needs a value: --config FILE\n")
    // An empty variable counts as not set, so the next place is searched.
    #expect(try bobbin(in: ".", ["status"], of: instance, environment: ["BOBBIN_CONFIG": ""]).status == 0)
  }

  @Test("A configuration is searched for in the working directory, even if that is the root")
  func root() throws {
    let directory = try TemporaryDirectory()
    // An empty /etc hides the machine's own files.
    let result = try Program(
      "/usr/bin/env",
      [
        "unshare", "--mount", "sh", "-c", "mount -t tmpfs none /etc && cd / && exec \"$0\" status",
        try Program.bobbin().path,
      ]
    ).start(outputIn: directory).wait()
    #expect(result.status == 78)
    #expect(result.error.hasPrefix("bobbin: no configuration found: looked for /etc/bobbin.json5, "))
  }

  @Test("Control characters in the name of a configuration are escaped")
  func controlCharacters() throws {
    let instance = try TestInstance()
    try instance.directory.rename("etc/bobbin.json5", "etc/a\u{1B}b.json5")
    let result = try bobbin(in: ".", ["--config", "etc/a\u{1B}b.json5", "check"], of: instance)
    #expect(result.status == 0)
    #expect(!result.output.contains("\u{1B}"))
    #expect(result.outputLines.first == "configuration: \(instance.directory.path)/etc/a\\u{1b}b.json5")
  }
}
