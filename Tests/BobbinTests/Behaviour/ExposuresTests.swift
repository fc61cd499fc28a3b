import Foundation
import TestSupport
import Testing

/// What other users could write to or create, although it decides what jobs do. Only modes and owners are set up here.
@Suite("Places that others could write to", .alone)
struct ExposuresTests {
  /// An instance in which nothing is exposed: its home, its PATH and its program are below its own directory.
  private func instance() throws -> TestInstance {
    let instance = try TestInstance(channels: #"{ id: 1, name: "a", command: ["handlers/linked"] }"#)
    for folder in ["home/.config", "xdg", "bin", "open", "real"] {
      _ = try instance.directory.path("\(folder)/x")
    }
    let program = try instance.directory.write("real/program", "#!/bin/sh\necho item\n")
    chmod(program, 0o755)
    try instance.directory.symbolicLink("etc/handlers/linked", to: "../../real/program")
    chmod("\(instance.directory.path)/open", 0o1777)
    return instance
  }

  private func environment(
    _ instance: TestInstance, home: String = "home", path: String = "bin:/usr/bin:/bin",
    more: [String: String] = [:]
  ) -> [String: String] {
    func full(_ name: String) -> String { "\(instance.directory.path)/\(name)" }
    return ["HOME": full(home), "PATH": path.replacing("bin:/usr", with: full("bin:/usr"))].merging(
      more.mapValues(full)
    ) { _, new in new }
  }

  /// Expects that exactly these paths below the instance are named, by `check` and by one warning of a run.
  private func expect(
    _ paths: [String], _ instance: TestInstance, _ environment: [String: String],
    remedy: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let check = try instance.bobbin("check", "--json", environment: environment)
    let problems = try check.json["problems"].elements
    let found = problems.map { ($0["path"].string ?? "").replacing(instance.directory.path, with: "") }
    #expect(found == paths, "\(check)", sourceLocation: sourceLocation)
    #expect(check.status == (paths.isEmpty ? 0 : 77), sourceLocation: sourceLocation)
    for problem in problems {
      #expect(problem["kind"] == "permission", sourceLocation: sourceLocation)
      let text = (problem["remedy"].string ?? "").replacing(instance.directory.path + "/", with: "")
      #expect(remedy.isEmpty || text.contains(remedy), "\(text)", sourceLocation: sourceLocation)
    }
    let run = try instance.bobbin("--quiet", "run", environment: environment)
    #expect(run.status == 0, "\(run)", sourceLocation: sourceLocation)
    #expect(run.errorLines.count == (paths.isEmpty ? 0 : 1), "\(run)", sourceLocation: sourceLocation)
    for path in paths {
      #expect(
        run.errorLine(
          with: "warning others could change what is run", path.isEmpty ? instance.directory.path : path)
          != nil, "\(run)",
        sourceLocation: sourceLocation)
    }
  }

  @Test(
    "A mode that lets others exchange or add files that decide what is run is named",
    arguments: [
      ("home", 0o777, "chmod go-w 'home'"), ("home", 0o1777, "usermod --home /var/lib/bobbin "),
      ("home", 0o757, "chmod go-w 'home'"), ("home/.config", 0o777, "chmod go-w 'home/.config'"),
      ("etc", 0o777, "chmod go-w 'etc'"), ("etc", 0o1777, "move the configuration"),
      ("etc/bobbin.json5", 0o666, "chmod go-w 'etc/bobbin.json5'"), ("bin", 0o777, "chmod go-w 'bin'"),
      ("bin", 0o1777, "take it out of PATH"), ("real/program", 0o757, "chmod go-w 'real/program'"),
      ("real", 0o777, "chmod go-w 'real'"), ("etc/handlers", 0o777, "chmod go-w 'etc/handlers'"),
    ])
  func modes(path: String, mode: UInt32, remedy: String) throws {
    let instance = try instance()
    try expect([], instance, environment(instance))
    #expect(chmod("\(instance.directory.path)/\(path)", mode) == 0)
    try expect(["/\(path)"], instance, environment(instance), remedy: remedy)
  }

  @Test("A folder above everything counts as much, unless others can only add files to it")
  func above() throws {
    let instance = try instance()
    #expect(chmod(instance.directory.path, 0o777) == 0)
    try expect([""], instance, environment(instance), remedy: "chmod go-w '\(instance.directory.path)'")
    #expect(chmod(instance.directory.path, 0o1777) == 0)
    try expect([], instance, environment(instance))
  }

  @Test("The folder that XDG_CONFIG_HOME names counts instead of .config in the home directory")
  func settingsFolder() throws {
    let instance = try instance()
    chmod("\(instance.directory.path)/home/.config", 0o777)
    let environment = environment(instance, more: ["XDG_CONFIG_HOME": "xdg"])
    try expect([], instance, environment)
    chmod("\(instance.directory.path)/xdg", 0o777)
    try expect(["/xdg"], instance, environment)
  }

  @Test("A home or a folder of PATH that others could create is named by the folder in which they could")
  func missing() throws {
    let instance = try instance()
    try expect(["/open"], instance, environment(instance, home: "open/none/home"))
    try expect([], instance, environment(instance, home: "real/none/home"))
    let path = "\(instance.directory.path)/open/none:/usr/bin:/bin"
    try expect(["/open"], instance, environment(instance, path: path), remedy: "take it out of PATH")
  }

  @Test("The spool, or a folder in it, is not a home", arguments: ["spool", "spool/done"])
  func homeInSpool(home: String) throws {
    let instance = try instance()
    #expect(try instance.bobbin("run", environment: environment(instance)).status == 0)
    try expect(["/\(home)"], instance, environment(instance, home: home), remedy: "usermod --home")
  }

  @Test(
    "An empty or relative entry of PATH is a fault",
    arguments: [":/usr/bin:/bin", "/usr/bin:/bin:", "x:/bin"])
  func searchPath(path: String) throws {
    let instance = try instance()
    try expect(["PATH"], instance, environment(instance, path: path), remedy: "correct PATH; it is \(path)")
  }

  @Test("What belongs to another user is theirs to change, whatever its mode")
  func owners() throws {
    // Only root can give files away.
    guard geteuid() == 0 else { return }
    for path in ["home", "etc", "etc/bobbin.json5", "bin", "real", "real/program"] {
      let instance = try instance()
      #expect(chown("\(instance.directory.path)/\(path)", 12_345, 0) == 0)
      try expect(["/\(path)"], instance, environment(instance), remedy: "chown 0 '\(path)'")
    }
  }

  @Test("A group that nobody else belongs to is not others")
  func privateGroup() throws {
    let instance = try instance()
    guard geteuid() == 0 else { return }
    #expect(chmod("\(instance.directory.path)/home", 0o775) == 0)
    try expect([], instance, environment(instance))
    // A group that no file knows may have any members.
    #expect(chown("\(instance.directory.path)/home", 0, 54_321) == 0)
    #expect(chmod("\(instance.directory.path)/home", 0o775) == 0)
    try expect(["/home"], instance, environment(instance), remedy: "chmod go-w 'home'")
  }
}
