import Channels
import Foundation
import Posix
import TestSupport
import Testing

@Suite("The values of a configuration", .alone)
struct ConfigurationDefaultsTests {
  /// Every default that etc/bobbin.json5 names.
  private func expectDefaults(_ configuration: Configuration) {
    #expect(configuration.expireAfter == .seconds(30 * 60))
    #expect(configuration.settle == .seconds(2))
    #expect(configuration.keepResults == .seconds(7 * 86_400))
    #expect(configuration.maxAttempts == 3)
  }

  private func expectDefaults(_ channel: Channel) {
    #expect(channel.timeout == .seconds(2 * 3_600))
    #expect(channel.stall == nil)
    #expect(channel.stopSignal == Signals.terminate)
    #expect(channel.grace == .seconds(10))
    #expect(channel.attempts == 2)
    #expect(channel.retryDelay == .seconds(30))
    #expect(channel.umask == 0o022)
    #expect(channel.environment.isEmpty)
    #expect(channel.rerun)
    #expect(channel.limit == 10)
    #expect(channel.success == [0])
    #expect(matched(by: channel.output.errorLine) == ["ERROR: a"])
    #expect(channel.output.tolerate.isEmpty && channel.output.failure.isEmpty)
    #expect(channel.output.transient.isEmpty)
    #expect(channel.output.items == nil)
    #expect(channel.enabled)
  }

  /// Which of some lines a pattern matches.
  private func matched(by pattern: Pattern?) -> [String] {
    ["ERROR: a", "a", "b", "an ERROR"].filter { line in pattern?.matches(line.utf8) == true }
  }

  @Test("Every key except the channels may be left out")
  func empty() throws {
    let configuration = try read("{ channels: [] }")
    expectDefaults(configuration)
    #expect(configuration.file == "/srv/bobbin/etc/bobbin.json5")
    #expect(configuration.directory == "/srv/bobbin/etc")
    #expect(configuration.spool == "/srv/bobbin/spool")
    #expect(configuration.library == "/srv/bobbin/library")
    #expect(configuration.lock == "/srv/bobbin/spool/scheduler.lock")
    #expect(configuration.channels.isEmpty)
  }

  @Test("A channel needs an id, a name and a command")
  func channel() throws {
    let channel = try readChannel("command: [\"true\"]")
    expectDefaults(channel)
    #expect((channel.id, channel.name, channel.url) == (7, "cats", ""))
    #expect(channel.command == ["true"])
    #expect(channel.directory == "/srv/bobbin/library/cats")
  }

  @Test("Every key of the top level is read")
  func topLevel() throws {
    let configuration = try read(
      top(
        """
        spool: "/var/spool/b", library: "lib", lock: "/run/b.lock", expire_after: "1h", settle: "250ms",
        keep_results: "1d", max_attempts: 9,
        """))
    #expect(configuration.spool == "/var/spool/b")
    #expect(configuration.library == "/srv/bobbin/etc/lib")
    #expect(configuration.lock == "/run/b.lock")
    #expect(configuration.expireAfter == .seconds(3_600))
    #expect(configuration.settle == .milliseconds(250))
    #expect(configuration.keepResults == .seconds(86_400))
    #expect(configuration.maxAttempts == 9)
  }

  @Test("0 turns off expiry and keeps results forever", arguments: ["0", "\"0\"", "\"0s\""])
  func never(_ zero: String) throws {
    let configuration = try read(top("expire_after: \(zero), keep_results: \(zero), settle: \(zero),"))
    #expect(configuration.expireAfter == nil)
    #expect(configuration.keepResults == nil)
    #expect(configuration.settle == .zero)
  }

  @Test("A channel's own keys take precedence over the defaults, and those over the built-in values")
  func precedence() throws {
    let defaults = #"""
      defaults: { timeout: "3h", stall: "5m", stop_signal: "INT", grace: "1s", attempts: 5, retry_delay: "2s", rerun: false, limit: 3,
      umask: "077", transient: ["^a", "^b$"], command: ["given"] },
      """#
    let inherited = try readChannel("", also: defaults)
    #expect(inherited.timeout == .seconds(3 * 3_600))
    #expect(inherited.stall == .seconds(300))
    #expect(inherited.stopSignal == SIGINT)
    #expect(inherited.grace == .seconds(1))
    #expect((inherited.attempts, inherited.limit, inherited.rerun) == (5, 3, false))
    #expect(inherited.retryDelay == .seconds(2))
    #expect(inherited.umask == 0o077)
    #expect(inherited.output.transient.map { matched(by: $0) } == [["a", "an ERROR"], ["b"]])
    #expect(inherited.command == ["given"])

    let own = try readChannel(
      #"""
      url: "u", enabled: false, timeout: "1m", stall: "0", stop_signal: "SIGUSR1", grace: "0", attempts: 1, retry_delay: 0, rerun: true,
      limit: 1, umask: "0002", transient: [], command: ["own"]
      """#, also: defaults)
    #expect(own.timeout == .seconds(60))
    #expect(own.stall == nil)
    #expect(own.stopSignal == SIGUSR1)
    #expect((own.grace, own.retryDelay) == (.zero, .zero))
    #expect((own.attempts, own.limit, own.rerun, own.enabled) == (1, 1, true, false))
    #expect(own.umask == 0o002)
    #expect(own.output.transient.isEmpty)
    #expect((own.url, own.command) == ("u", ["own"]))
  }

  @Test("What makes a job a success or a failure can be set for all channels, and again for one")
  func outcomes() throws {
    let defaults = #"""
      defaults: { success: [0, 101], error_line: "^a", tolerate: ["^a"], failure: ["^b$"], items: "^a$" },
      """#
    let inherited = try readChannel(#"command: ["x"]"#, also: defaults)
    #expect(inherited.success == [0, 101])
    #expect(matched(by: inherited.output.errorLine) == ["a", "an ERROR"])
    #expect(inherited.output.tolerate.map { matched(by: $0) } == [["a", "an ERROR"]])
    #expect(inherited.output.failure.map { matched(by: $0) } == [["b"]])
    #expect(matched(by: inherited.output.items) == ["a"])

    let own = try readChannel(
      #"command: ["x"], success: [255], error_line: "b", tolerate: [], failure: [], items: """#,
      also: defaults)
    #expect(own.success == [255])
    #expect(matched(by: own.output.errorLine) == ["b"])
    #expect(own.output.tolerate.isEmpty && own.output.failure.isEmpty)
    #expect(own.output.items == nil)
  }

  @Test("The variables of a channel are added to those of the defaults, and replace them")
  func environment() throws {
    let defaults = #"defaults: { env: { LANG: "C", _x1: "a b=c\n", EMPTY: "" } },"#
    #expect(
      try readChannel(#"command: ["x"]"#, also: defaults).environment
        == ["LANG": "C", "_x1": "a b=c\n", "EMPTY": ""])
    #expect(
      try readChannel(#"command: ["x"], env: { LANG: "de_DE.UTF-8", _x1: "", "TZ": "UTC" }"#, also: defaults)
        .environment == ["LANG": "de_DE.UTF-8", "_x1": "", "EMPTY": "", "TZ": "UTC"])
    #expect(try readChannel(#"command: ["x"], env: {}"#, also: defaults).environment.count == 3)
  }

  @Test("Channels keep their order, and are found by id and by name")
  func lookup() throws {
    let entries = [9, 3, 5].map { "{ id: \($0), name: \"n\($0)\", command: [\"true\"] }" }
    let configuration = try read("{ channels: [\(entries.joined(separator: ", "))] }")
    #expect(configuration.channels.map(\.id) == [9, 3, 5])
    #expect(configuration.channel(id: 3)?.name == "n3")
    #expect(configuration.channel(name: "n5")?.id == 5)
    #expect(configuration.channel(id: 4) == nil)
    #expect(configuration.channel(name: "N5") == nil)
  }

  @Test(
    "JSON5 is read in the ways that people write it",
    arguments: [
      "{ 'channels': [], }", "{ \"channels\": [] }", "/* a */ { // b\n channels: [] } // c",
      "\u{FEFF}{ channels: [] }",
      "{\r\n\tchannels:\u{B}[\u{C}] }\r\n", "{ channels: [], max_attempts: +3 }",
      "{ channels: [], max_attempts: 0x3 }",
      "{ channels: [], lock: 'scheduler.lock' }", "{ channels: [], settle: \"\\u0032s\" }",
    ])
  func json5(_ text: String) throws { expectDefaults(try read(text)) }

  @Test("The shipped configuration says what is the default anyway, but for the library of the sample")
  func shipped() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let bytes = Array(try Data(contentsOf: root.appendingPathComponent("etc/bobbin.json5")))
    let configuration = try Configuration.parse(
      bytes, file: "/srv/bobbin/etc/bobbin.json5", reserved: reservedNames)
    expectDefaults(configuration)
    #expect(configuration.spool == "/srv/bobbin/spool")
    // Shipped, because a run does not make it.
    #expect(configuration.library == "/srv/bobbin/etc/demo-library")
    #expect(configuration.lock == "/srv/bobbin/spool/scheduler.lock")
    #expect(configuration.channels.map(\.name) == ["demo", "cats"])
    let demo = configuration.channels[0]
    expectDefaults(demo)
    #expect(
      demo.arguments()
        == ["/srv/bobbin/etc/handlers/mirror", "demo-feed", "/srv/bobbin/etc/demo-library/demo"])
    let cats = configuration.channels[1]
    #expect((cats.id, cats.limit, cats.enabled) == (7, 5, false))
    #expect(cats.timeout == .seconds(3_600))
    #expect(cats.command.first == "yt-dlp")
    #expect(cats.arguments().contains("/srv/bobbin/etc/demo-library/cats/archive.txt"))
    #expect(cats.output.transient.contains { $0.matches("HTTP Error 503: x".utf8) })
  }
}
