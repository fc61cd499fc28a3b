import Channels
import TestSupport
import Testing

@Suite("Commands of channels", .alone)
struct CommandTests {
  @Test(
    "Placeholders are replaced inside arguments, and other text in braces stays",
    arguments: [
      ("{id}", "7"), ("{name}", "cats"), ("{url}", "u"), ("{dir}", "/srv/bobbin/library/cats"),
      ("{limit}", "10"),
      ("{dir}/archive.txt", "/srv/bobbin/library/cats/archive.txt"), ("a{id}b{name}c", "a7bcatsc"),
      ("{id}{id}", "77"),
      ("", ""), ("{}", "{}"), ("{ id }", "{ id }"), ("{{id}}", "{7}"), ("{id", "{id"), ("id}", "id}"),
      ("{\"a\": 1}", "{\"a\": 1}"), ("%(title)s.{{", "%(title)s.{{"), ("${id}", "$7"), ("{0}", "{0}"),
      ("{ä}", "{ä}"),
      ("{id,name}", "{id,name}"), ("{-id}", "{-id}"),
    ])
  func placeholders(_ argument: String, _ expected: String) throws {
    let escaped = argument.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
    let channel = try readChannel("url: \"u\", command: [\"x\", \"\(escaped)\"]")
    #expect(channel.arguments() == ["x", expected])
  }

  @Test("A placeholder in a replacement is not replaced again")
  func once() throws {
    let channel = try readChannel(#"url: "{dir}{url}{nonsense}", command: ["x", "{url}", "{name}"]"#)
    #expect(channel.arguments() == ["x", "{dir}{url}{nonsense}", "cats"])
  }

  @Test(
    "A program with a slash is relative to the file, and a program without a slash is searched for in PATH",
    arguments: [
      ("tool", "tool"), ("./tool", "/srv/bobbin/etc/tool"),
      ("handlers/tool", "/srv/bobbin/etc/handlers/tool"),
      ("/bin/true", "/bin/true"), ("../tool", "/srv/bobbin/tool"), ("a tool", "a tool"),
    ])
  func program(_ program: String, _ expected: String) throws {
    #expect(try readChannel("command: [\"\(program)\"]").arguments() == [expected])
  }

  @Test("Channels share a command by its name")
  func shared() throws {
    let commands = #"commands: { get: ["bin/get", "{name}"], other: ["x"] },"#
    #expect(
      try readChannel(#"command: "get""#, also: commands).arguments() == ["/srv/bobbin/etc/bin/get", "cats"])
    let defaults = commands + #" defaults: { command: "other" },"#
    #expect(try readChannel("", also: defaults).arguments() == ["x"])
    #expect(try readChannel(#"command: "get""#, also: defaults).arguments().count == 2)
  }

  static let faulty: [(command: String, String)] = [
    (
      "\"gte\"", #"3: channels[0] "cats": command: no command named "gte"; did you mean "get"?"#
    ),
    (
      "\"zzzzzz\"",
      #"3: channels[0] "cats": command: no command named "zzzzzz"; write the name of an entry of commands, or an array such as ["handlers/mirror", "{url}", "{dir}"]"#
    ),
    (
      "[]",
      #"3: channels[0] "cats": command: the command is empty; for example ["handlers/mirror", "{url}", "{dir}"]"#
    ),
    (
      "{}",
      #"3: channels[0] "cats": command: expected an array of strings, found an object; a command does not pass through a shell; write, for example, ["handlers/mirror", "{url}", "{dir}"]"#
    ),
    (
      "[\"x\", 5]",
      #"3: channels[0] "cats": command[1]: expected text in quotes, found the number 5; write "5""#
    ),
    ("[\"x\", null]", #"3: channels[0] "cats": command[1]: expected text in quotes, found null"#),
    (
      "[\"\"]",
      #"3: channels[0] "cats": command[0]: the program is empty; for example ["handlers/mirror", "{url}", "{dir}"]"#
    ),
    (
      "[\"{dir}/x\"]",
      #"3: channels[0] "cats": command[0]: placeholder in the program's name "{dir}/x"; placeholders are replaced in the arguments after it only"#
    ),
    ("[\"x\", \"a\\u0007\"]", #"3: channels[0] "cats": command[1]: control character in "a\u{7}""#),
    (
      "[\"x\", \"{limt}\"]",
      #"3: channels[0] "cats": command[1]: unknown placeholder {limt}; did you mean {limit}?"#
    ),
    (
      "[\"x\", \"{channel_title}\"]",
      #"3: channels[0] "cats": command[1]: unknown placeholder {channel_title}; there are {id} {name} {url} {dir} {limit}"#
    ),
  ]

  @Test("A faulty command is refused", arguments: faulty)
  func fault(_ command: String, _ expected: String) {
    let text = channel("id: 7, name: \"cats\", command: \(command)", also: "commands: { get: [\"x\"] },")
    #expect(faults(text) == [expected])
  }

  @Test("A faulty shared command is reported once, however many channels use it")
  func sharedFault() {
    let text = channel(
      #"id: 7, name: "a", command: "get" }, { id: 8, name: "b", command: "get""#,
      also: "commands: { get: [] },")
    #expect(
      faults(text) == [
        #"2: commands.get: the command is empty; for example ["handlers/mirror", "{url}", "{dir}"]"#
      ])
  }

  @Test("Several faults of one command are all reported")
  func several() {
    let messages = faults(channel(#"id: 7, name: "cats", command: ["x", "{a1}", 3, "{b2}"]"#))
    #expect(messages.count == 3)
  }
}
