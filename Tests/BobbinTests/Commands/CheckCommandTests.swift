import Foundation
import TestSupport
import Testing

@Suite("The check of a setup", .alone)
struct CheckCommandTests {
  /// The path below the instance and the remedy of every problem.
  private func problems(_ instance: TestInstance) throws -> (status: Int32, reported: [[String]]) {
    let result = try instance.bobbin("check", "--json")
    let reported = try result.json["problems"].elements.map { problem in
      #expect(problem.names == ["kind", "message", "path", "remedy"])
      return ["kind", "path", "remedy"].map { name in
        (problem[name].string ?? "").replacing(instance.directory.path + "/", with: "")
      }
    }
    return (result.status, reported)
  }

  @Test("A fresh instance has no problems, and its plan says what would run")
  func allWell() throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    let result = try instance.bobbin("check", "--json")
    #expect(result.status == 0)
    #expect(
      try result.json == [
        "status": "ok", "configuration": .string(instance.configuration), "problems": [], "warnings": [],
        "plan": [
          ["action": "run", "trigger": nil, "channel_id": 1, "channel": "demo", "user": nil, "reason": nil]
        ],
      ])
    #expect(
      try instance.bobbin("check").output == """
        configuration: \(instance.configuration)
        spool:         \(instance.spool)
        library:       \(instance.directory.path)/library
        no problems found

        a run would, in this order:
          run      channel 1 "demo", scheduled

        """)
    #expect(try instance.bobbin("check", "--quiet").output == "")
  }

  @Test(
    "A name that yt-dlp would expand is a warning for its channels, and for no others",
    arguments: [
      ("a$HOME", true), ("a${X}b", true), ("$1", true), ("~cats", true), ("a%(id)s", true), ("cats ", true),
      ("cats.", true), ("cats", false), ("100 %", false), ("a $ b", false), ("cats~", false),
      ("c.ats", false),
    ])
  func expandedNames(name: String, isExpanded: Bool) throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "\(name)", command: ["handlers/yt-dlp", "-P", "{dir}"] },
        { id: 2, name: "x\(name)", command: ["handlers/note"] },
        { id: 3, name: "y\(name)", command: ["handlers/yt-dlp"], enabled: false },
        """)
    try instance.handler("yt-dlp", "exit 0")
    let result = try instance.bobbin("check", "--json")
    #expect(result.status == 0)
    #expect(try result.json["status"] == "ok")
    #expect(try result.json["problems"].elements.isEmpty)
    let warnings = try result.json["warnings"].elements.filter { $0["kind"] == "warning" }
    #expect(warnings.count == (isExpanded ? 1 : 0), "\(result)")
    for warning in warnings {
      #expect(warning["message"].string?.hasPrefix("channel \"\(name)\": yt-dlp ") == true, "\(result)")
    }
  }

  @Test("A missing program is named, with 78")
  func missingPrograms() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "a", command: ["no-such-program"] },
        { id: 2, name: "b", command: ["handlers/no-such"] },
        { id: 3, name: "c", command: ["handlers/plain"] },
        { id: 4, name: "d", command: ["never-needed"], enabled: false },
        """)
    try instance.directory.write("etc/handlers/plain", "#!/bin/sh\n")
    let (status, reported) = try problems(instance)
    #expect(status == 78)
    try #require(reported.map { $0[0] } == ["program", "program", "program"])
    #expect(reported.map { $0[1] } == ["no-such-program", "etc/handlers/no-such", "etc/handlers/plain"])
    #expect(reported[0][2].hasPrefix(#"install it, or give its full path in "command"; PATH is "#))
    #expect(reported[2][2] == "create it, or make it executable: chmod +x 'etc/handlers/plain'")
    let human = try instance.bobbin("check")
    #expect(human.status == 78)
    #expect(human.errorLine(with: "bobbin: no-such-program: channel \"a\" needs it") != nil)
    #expect(human.output.contains("3 problems, see above"))
  }

  @Test(
    "A configuration that cannot be used has a JSON answer, and the exit status is the same as without --json",
    arguments: [
      (
        "the content",
        "{\n  spool: \"spool\",\n  setle: \"2s\",\n  channels: [{ id: 0, name: \"a\", command: [\"true\"] }],\n}\n",
        ["3: setle: unknown key", "4: channels[0] \"a\": id: 0 is out of range"]
      ),
      ("the syntax", "{\n", ["1: "]),
      ("the file", nil, ["No such file or directory"]),
    ] as [(String, String?, [String])])
  func faultyConfiguration(fault: String, text: String?, messages: [String]) throws {
    let instance = try TestInstance()
    try FileManager.default.removeItem(atPath: instance.configuration)
    if let text { try instance.directory.write("etc/bobbin.json5", text) }
    let plain = try instance.bobbin("check")
    #expect(plain.status == 78)
    #expect(plain.output == "")
    let result = try instance.bobbin("check", "--json")
    #expect(result.status == plain.status)
    // The log also reports the problem.
    #expect(result.error == plain.error)
    #expect(result.errorLines.count == messages.count)
    let answer = try result.json
    #expect(answer.names == ["configuration", "plan", "problems", "status", "warnings"])
    #expect(answer["status"] == "problems")
    #expect(answer["plan"] == [])
    let problems = answer["problems"].elements
    #expect(problems.allSatisfy { $0.names == ["kind", "message", "path", "remedy"] })
    #expect(problems.map { $0["kind"] } == messages.map { _ in "configuration" })
    for (problem, message) in zip(problems, messages) {
      #expect(problem["message"].string?.contains(message) == true, "\(problem)")
    }
    // Each message is also the message of a problem.
    #expect(problems.map { "bobbin: \($0["message"].string ?? "")" } == plain.errorLines)
  }

  @Test(
    "A mode that gives others too many rights is reported with status 77 and the command that corrects it",
    arguments: [
      (
        "spool", 0o777,
        "chmod 755 'spool' (for a drop box instead: chgrp SUBMITTERS 'spool' && chmod 3730 'spool')"
      ),
      ("library", 0o775, "chmod go-w 'library'"), ("spool/running", 0o770, "chmod 750 'spool/running'"),
      ("spool/done", 0o757, "chmod 750 'spool/done'"),
      ("spool/scheduler.lock", 0o644, "chmod 600 'spool/scheduler.lock'"),
      ("etc/bobbin.json5", 0o646, "chmod go-w 'etc/bobbin.json5'"),
    ])
  func modes(path: String, mode: UInt32, remedy: String) throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    #expect(try problems(instance).reported == [])
    #expect(chmod("\(instance.directory.path)/\(path)", mode) == 0)
    let (status, reported) = try problems(instance)
    #expect(status == 77)
    #expect(reported == [["permission", path, remedy]])
  }

  @Test("A drop box is accepted", arguments: [0o3730, 0o1777, 0o755, 0o700])
  func dropBox(mode: UInt32) throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    // The folders inside are only for the batch's user, even if the submitters' group is the batch user's own group.
    for name in try FileManager.default.contentsOfDirectory(atPath: instance.spool) {
      chmod("\(instance.spool)/\(name)", name.hasSuffix(".lock") || name.contains("history") ? 0o600 : 0o700)
    }
    #expect(chmod(instance.spool, mode) == 0)
    #expect(try problems(instance).status == 0)
  }

  @Test("A file in the place of a directory is reported with status 73")
  func noDirectory() throws {
    let instance = try TestInstance()
    #expect(rmdir("\(instance.directory.path)/library") == 0)
    try instance.directory.write("library")
    let (status, reported) = try problems(instance)
    #expect(status == 73)
    #expect(
      reported == [["missing", "library", "move it away, or name another place in the configuration"]])
  }

  @Test("A file in the place of a folder of the spool is reported with status 73")
  func noFolder() throws {
    let instance = try TestInstance()
    try instance.directory.write("spool/done")
    let (status, reported) = try problems(instance)
    #expect(status == 73)
    #expect(reported == [["missing", "spool/done", "rm 'spool/done'"]])
  }

  @Test("A mount between the spool and one of its folders is reported with status 78, as it is by a run")
  func mount() throws {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    func bobbin(_ command: String) throws -> ProgramResult {
      // In a separate mount namespace, so that nothing stays mounted, even if the test fails.
      try Program(
        "/usr/bin/env",
        [
          "unshare", "--mount", "sh", "-c",
          "mount -t tmpfs none \"$1\" && exec \"$2\" --config \"$3\" \(command)", "sh",
          "\(instance.spool)/expired", try Program.bobbin().path, instance.configuration,
        ]
      ).start(outputIn: instance.directory).wait()
    }
    #expect(try bobbin("run").status == 78)
    let check = try bobbin("check --json")
    #expect(check.status == 78)
    let problem = try check.json["problems"][0]
    #expect(problem["kind"] == "mount")
    #expect(problem["path"] == .string("\(instance.spool)/expired"))
  }

  @Test(
    "A check by another user than the spool's owner first says who must run it, and then reports the rest")
  func wrongUser() throws {
    let instance = try TestInstance()
    // Directories that belong to root, whoever runs the tests. `check` does not change them.
    try instance.directory.write(
      "etc/bobbin.json5",
      """
      { spool: "/usr", library: "/usr/lib",
        channels: [ { id: 1, name: "a", command: ["no-such-program"] } ] }
      """)
    let program = try UnprivilegedProgram(in: instance)
    let result = try program.start(["check", "--json"]).wait()
    #expect(result.status == 77)
    let problems = try result.json["problems"].elements
    #expect(problems.map { $0["kind"] } == ["permission", "program"])
    let first = try #require(problems.first)
    #expect(first["path"] == "/usr")
    #expect(
      first["message"].string?.hasPrefix("the spool belongs to root (uid 0), but this command is run by ")
        == true)
    #expect(
      first["remedy"].string?.hasPrefix(
        "run it as root: sudo -u root bobbin --config '\(instance.configuration)' check; or, if ") == true)
    #expect(first["remedy"].string?.hasSuffix(" '/usr'") == true)
  }

  @Test("A check does not make a missing spool, and the next run makes it")
  func missingSpool() throws {
    let instance = try TestInstance()
    #expect(rmdir(instance.spool) == 0)
    #expect(try instance.bobbin("check").status == 0)
    #expect(!instance.directory.exists("spool"))
    #expect(try instance.bobbin("run").status == 0)
    #expect(instance.directory.exists("spool/done"))
    #expect(instance.directory.exists("library/demo"))
  }

  @Test(
    "A library that is missing is a problem, with 73: a run does not make it, and leaves everything for later"
  )
  func missingLibrary() throws {
    let instance = try TestInstance()
    let library = "\(instance.directory.path)/library"
    #expect(rmdir(library) == 0)
    let check = try instance.bobbin("check")
    #expect(check.status == 73)
    #expect(check.error.contains("bobbin: \(library): the library is missing, and a run does not make it\n"))
    #expect(check.output.contains("library:       \(library) (missing)\n"))

    try instance.drop("a.json")
    let run = try instance.bobbin("run", "--json")
    #expect(run.status == 1)
    for event in [" warning channel skipped", " warning trigger left pending"] {
      let line = run.errorLine(with: event, "the library '\(library)' is missing", "mkdir -p '\(library)'")
      #expect(line != nil, "\(run)")
    }
    #expect(try run.json["channels"]["failed"] == 1)
    #expect(try instance.ledger() == [])
    #expect(try instance.pending() == ["a.json"])
    #expect(!instance.directory.exists("library"))

    #expect(mkdir(library, 0o755) == 0)
    #expect(try instance.bobbin("run").status == 0)
    #expect(try instance.ledger() == ["scheduled demo -", "manual demo a.json"])
    #expect(instance.directory.exists("library/demo"))
  }

  @Test("A lock without a folder is a problem, with 73, and a run says the same")
  func lockFolder() throws {
    let instance = try TestInstance(settings: #"lock: "locks/run.lock","#)
    let missing = try problems(instance)
    #expect(missing.status == 73)
    #expect(
      missing.reported == [
        [
          "missing", "spool/locks",
          "mkdir -p 'spool/locks' && chown \(geteuid()) 'spool/locks', or correct \"lock\" in the configuration",
        ]
      ])
    let run = try instance.bobbin("run")
    #expect(run.status == 73)
    #expect(
      run.error.contains(
        "cannot open '\(instance.spool)/locks': No such file or directory (this is the folder of the lock; "),
      "\(run)")
    try instance.directory.write("spool/locks")
    let file = try problems(instance)
    #expect(file.status == 73)
    #expect(file.reported.map { $0[1] } == ["spool/locks"])
    try instance.directory.remove("spool/locks")
    try instance.directory.directory("spool/locks")
    #expect(try problems(instance).status == 0)
    #expect(try instance.bobbin("run").status == 0)
  }

  @Test("A file that an administrator's run left and the batch's user cannot use is reported with status 77")
  func leftByAnother() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "a", command: ["true"] }, { id: 2, name: "b", command: ["true"] },
        { id: 3, name: "c", command: ["true"], enabled: false },
        """)
    try asNobody(instance)
    let program = try UnprivilegedProgram(in: instance)
    #expect(try program.start(["run"]).wait().status == 0)
    #expect(try program.start(["check"]).wait().status == 0)
    for name in ["library/b", "library/c", "spool/channels/2.lock"] {
      if !instance.directory.exists(name) { try instance.directory.directory(name) }
      // The file belongs to neither the batch's user nor root, so an ordinary user cannot use it either.
      chmod("\(instance.directory.path)/\(name)", name.hasSuffix("lock") ? 0o400 : 0o500)
    }
    let result = try program.start(["check", "--json"]).wait()
    #expect(result.status == 77, "\(result)")
    #expect(
      try result.json["problems"].elements.map { $0["path"].string } == [
        "\(instance.spool)/channels/2.lock", "\(instance.directory.path)/library/b",
      ])
    for problem in try result.json["problems"].elements { #expect(problem["kind"] == "permission") }
  }

  /// Gives the instance to the user of `UnprivilegedProgram`.
  private func asNobody(_ instance: TestInstance) throws {
    guard geteuid() == 0 else { return }
    let changed = try Program("/bin/chown", ["-R", "65534:65534", instance.directory.path])
      .start(outputIn: instance.directory).wait()
    #expect(changed.status == 0)
  }
}
