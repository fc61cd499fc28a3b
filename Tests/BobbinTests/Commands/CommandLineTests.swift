import Foundation
import TestSupport
import Testing

@Suite("The command line", .alone)
struct CommandLineTests {
  static let commands = [
    "run", "trigger", "queue", "cancel", "prune", "status", "history", "log", "watch", "check",
  ]

  @Test("The help of every command shows its usage, its options and an example", arguments: commands)
  func help(command: String) throws {
    let directory = try TemporaryDirectory()
    // Help must be available without a configuration.
    let result = try Program.bobbin().start([command, "--help"], outputIn: directory).wait()
    #expect(result.status == 0)
    #expect(result.error == "")
    #expect(result.output.hasPrefix("usage: bobbin \(command)"))
    let example = try #require(result.output.components(separatedBy: "\nExample:\n  ").last)
    #expect(example.contains("bobbin ") && example.contains(command))
    for option in ["--config FILE", "--json", "--quiet"] { #expect(result.output.contains("  \(option) ")) }
    #expect(result.outputLines.allSatisfy { $0.count <= 120 })
  }

  @Test(
    "The words `help` and `help COMMAND` print the same as --help", arguments: [[]] + commands.map { [$0] })
  func helpCommand(command: [String]) throws {
    let directory = try TemporaryDirectory()
    let option = try Program.bobbin().start(command + ["--help"], outputIn: directory).wait()
    for words in [["help"] + command, ["--quiet", "help"] + command] {
      let result = try Program.bobbin().start(words, outputIn: directory).wait()
      #expect(result.status == 0)
      #expect(result.error == "")
      #expect(result.output == option.output)
    }
  }

  @Test("The word `help` after a command is an operand")
  func helpOperand() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "help", command: ["handlers/note"] }"#)
    #expect(try instance.bobbin("trigger", "help").status == 0)
    #expect(try instance.ledger().count == 1)
  }

  @Test("The general help names every command, the places of the configuration and the exit statuses")
  func overview() throws {
    let directory = try TemporaryDirectory()
    let result = try Program.bobbin().start(["--help"], outputIn: directory).wait()
    #expect(result.status == 0)
    for command in Self.commands { #expect(result.outputLines.contains { $0.hasPrefix("  \(command) ") }) }
    for status in ["64 usage", "65 no such channel", "75 busy", "77 permission", "78 configuration", "124"] {
      #expect(result.output.contains(status))
    }
  }

  @Test(
    "A usage error exits with 64 and one helpful line",
    arguments: [
      (["runn"], "unknown command 'runn'; did you mean run?"),
      (["hepl"], "unknown command 'hepl'; did you mean help?"),
      (["help", "runn"], "unknown command 'runn'; did you mean run?"),
      (["run", "--jsn"], "unknown option --jsn; did you mean --json?"),
      (["run", "--spool-olny"], "did you mean --spool-only?"),
      (["run", "--zzzzzz"], "unknown option --zzzzzz; see bobbin --help"),
      (["run", "--limit", "5"], "unknown option --limit"),
      (["--limit", "5", "run"], "bobbin: run has no option --limit"),
      (["run", "-x"], "unknown option -x"),
      (["run", "extra"], "bobbin: run takes nothing but options"),
      (["run", "--json=1"], "--json takes no value"),
      (["run", "--wait"], "--wait needs a value: --wait D"),
      (["run", "--wait", "5"], #"--wait 5: "5" has no unit; write "5s""#),
      (["trigger"], "bobbin: trigger needs CHANNEL; see bobbin trigger --help"),
      (["trigger", "a", "b"], "bobbin: trigger takes CHANNEL; see"),
      (["trigger", "a", "--wait", "5"], #"bobbin: --wait 5: "5" has no unit; write "5s", with the unit"#),
      (["trigger", "--wait", "soon", "a"], #"bobbin: --wait soon: "soon" is not a duration; write"#),
      (["run", "--dry-run", "--wait", "nonsense"], #""nonsense" is not a duration"#),
      (["cancel"], "cancel needs the name of a trigger"),
      (["cancel", "--all", "x.json"], "cancel takes names or --all, not both"),
      (["log", "x"], "log takes the id of a job"),
      (["log", "0"], "log takes the id of a job"),
      (["history", "--limit", "-1"], "--limit takes a number of records"),
      (["watch", "--every", "1ms"], "--every takes at least 10ms"),
      ([], "no command given"),
    ])
  func usage(words: [String], message: String) throws {
    let instance = try TestInstance()
    let result = try instance.start(words).wait()
    #expect(result.status == 64)
    #expect(result.output == "")
    #expect(result.errorLines.count == 1)
    #expect(result.error.hasPrefix("bobbin: "))
    #expect(result.error.contains(message), "\(result.error)")
  }

  @Test("Options may stand before or after the command, and -- ends them")
  func order() throws {
    let instance = try TestInstance()
    #expect(try instance.start(["--json", "status"]).wait().json["state"] == "idle")
    #expect(try instance.start(["status", "--json"]).wait().json["state"] == "idle")
    #expect(try instance.start(["trigger", "--", "--json"]).wait().status == 65)
  }

  @Test("The option --version prints the version")
  func version() throws {
    let directory = try TemporaryDirectory()
    let result = try Program.bobbin().start(["--version"], outputIn: directory).wait()
    #expect(result.status == 0)
    #expect(result.output.wholeMatch(of: /bobbin [0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
  }

  @Test(
    "A configuration is searched for by $BOBBIN_CONFIG, ./etc and $XDG_CONFIG_HOME, in this order")
  func configurationPlaces() throws {
    let places = try TemporaryDirectory()
    func configure(_ file: String, _ name: String) throws {
      try places.write(file, #"{ channels: [ { id: 1, name: "\#(name)", command: ["true"] } ] }"#)
    }
    try configure("variable.json5", "from-variable")
    try configure("work/etc/bobbin.json5", "from-work")
    try configure("xdg/bobbin/bobbin.json5", "from-xdg")
    try configure("home/.config/bobbin/bobbin.json5", "from-home")
    _ = try places.path("empty/x")
    let bobbin = try Program.bobbin().path
    func channel(in folder: String, _ environment: [String: String]) throws -> JSON {
      let result = try Program("/usr/bin/env", ["-C", "\(places.path)/\(folder)", bobbin, "check", "--json"])
        .start(environment: environment, outputIn: places).wait()
      return try result.json["plan"][0]["channel"]
    }
    let (variable, xdg) = ("\(places.path)/variable.json5", "\(places.path)/xdg")
    #expect(
      try channel(in: "work", ["BOBBIN_CONFIG": variable, "XDG_CONFIG_HOME": xdg]) == "from-variable")
    #expect(try channel(in: "work", ["XDG_CONFIG_HOME": xdg]) == "from-work")
    #expect(try channel(in: "empty", ["XDG_CONFIG_HOME": xdg]) == "from-xdg")
    #expect(try channel(in: "empty", ["HOME": "\(places.path)/home"]) == "from-home")
  }

  @Test(
    "A system user reads /etc/bobbin before what is in its home or working directory; a person and root do not",
    arguments: [
      (uid: 1, channel: "from-etc"), (999, "from-etc"), (0, "from-home"), (1000, "from-home"),
      (65534, "from-home"),
    ])
  func systemUser(uid: UInt32, channel: String) throws {
    let places = try TemporaryDirectory()
    chmod(places.path, 0o755)
    for (file, name) in [
      ("machine/bobbin/bobbin.json5", "from-etc"), ("home/.config/bobbin/bobbin.json5", "from-home"),
      ("home/etc/bobbin.json5", "from-home"),
    ] {
      try places.write(file, #"{ channels: [ { id: 1, name: "\#(name)", command: ["true"] } ] }"#)
    }
    // Where it was built need not be a place that everybody may enter.
    let bobbin = try places.path("bobbin")
    try FileManager.default.copyItem(atPath: Program.bobbin().path, toPath: bobbin)
    // A mount namespace of its own has another /etc. cron starts a job in its user's home.
    let script = """
      mount --bind "$1/machine" /etc && cd "$1/home" || exit
      exec setpriv --reuid "$2" --regid "$2" --clear-groups -- "$1/bobbin" check --json
      """
    let result = try Program(
      "/usr/bin/env", ["unshare", "--mount", "sh", "-c", script, "sh", places.path, String(uid)]
    ).start(environment: ["HOME": "\(places.path)/home"], outputIn: places).wait()
    #expect(try result.json["plan"][0]["channel"] == .string(channel), "\(result)")
  }

  @Test("A reader that has seen enough is not an error")
  func brokenPipe() throws {
    let instance = try TestInstance()
    for number in 100..<400 { try instance.drop("\(String(repeating: "x", count: 150))-\(number).json") }
    let bobbin = try Program.bobbin().path
    let result = try Program(
      "/bin/sh",
      [
        "-c",
        "{ '\(bobbin)' --config '\(instance.configuration)' queue --json; echo \"status $?\" >&2; } | head -n 1",
      ]
    ).start(outputIn: instance.directory).wait()
    #expect(try result.jsonLines.count == 1)
    #expect(result.error == "status 0\n")
  }
}
