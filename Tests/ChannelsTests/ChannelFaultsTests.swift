import TestSupport
import Testing

@Suite("Faults of channels", .alone)
struct ChannelFaultsTests {
  static let channels: [(String, String)] = [
    (#"name: "cats", command: ["x"]"#, #"3: channels[0] "cats": id: missing; for example id: 7"#),
    (#"id: 7, command: ["x"]"#, #"3: channels[0].name: missing; for example name: "cats""#),
    (
      #"id: 7, name: "cats""#,
      #"3: channels[0] "cats": command: missing; write the name of an entry of commands, or an array such as ["handlers/mirror", "{url}", "{dir}"]"#
    ),
    (
      #"id: 0, name: "cats", command: ["x"]"#,
      #"3: channels[0] "cats": id: 0 is out of range; it must be 1 or more; for example 7"#
    ),
    (
      #"id: "7", name: "cats", command: ["x"]"#,
      #"3: channels[0] "cats": id: expected a whole number, found the text "7"; write 7, without quotes"#
    ),
    (
      #"id: 7, name: 8, command: ["x"]"#,
      #"3: channels[0].name: expected text in quotes, found the number 8; write "8""#
    ),
    (#"id: 7, name: "", command: ["x"]"#, #"3: channels[0] "": name: "" is empty; for example "cats""#),
    (
      #"id: 7, name: "123", command: ["x"]"#,
      #"3: channels[0] "123": name: "123" is all digits and would be taken for an id; add a letter, for example "c123""#
    ),
    (
      #"id: 7, name: ".cats", command: ["x"]"#,
      #"3: channels[0] ".cats": name: ".cats" begins with ., but the name of a directory in the library must not; for example "cats""#
    ),
    (
      #"id: 7, name: "-cats", command: ["x"]"#,
      #"3: channels[0] "-cats": name: "-cats" begins with -, but the name of a directory in the library must not; for example "cats""#
    ),
    (
      #"id: 7, name: "a/b", command: ["x"]"#,
      #"3: channels[0] "a/b": name: "a/b" contains a /, but it names one directory; for example "cats""#
    ),
    (
      #"id: 7, name: "a\nb", command: ["x"]"#,
      #"3: channels[0] "a\nb": name: control character in "a\nb"; for example "cats""#
    ),
    (
      #"id: 7, name: "a\u202eb", command: ["x"]"#,
      #"3: channels[0] "a\u{202e}b": name: control character in "a\u{202e}b"; for example "cats""#
    ),
    (
      #"id: 7, name: "cats", url: "-x", command: ["x"]"#,
      #"3: channels[0] "cats": url: "-x" begins with -, so a program would take it for an option; write "./-x" if it is a file"#
    ),
    (
      #"id: 7, name: "cats", command: ["x", "{url}"]"#,
      #"3: channels[0] "cats": url: missing, but the command uses {url}; for example url: "https://…""#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], enabled: "no""#,
      #"3: channels[0] "cats": enabled: expected true or false, found the text "no"; write true or false, without quotes"#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], umask: 22"#,
      #"3: channels[0] "cats": umask: expected text in quotes, found the number 22; write three or four octal digits in quotes, for example "022""#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], umask: "22""#,
      #"3: channels[0] "cats": umask: "22" is not a umask; write three or four octal digits in quotes, for example "022""#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], umask: "00022""#,
      #"3: channels[0] "cats": umask: "00022" is not a umask; write three or four octal digits in quotes, for example "022""#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], umask: "028""#,
      #"3: channels[0] "cats": umask: "028" is not a umask; write three or four octal digits in quotes, for example "022""#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], umask: "+22""#,
      #"3: channels[0] "cats": umask: "+22" is not a umask; write three or four octal digits in quotes, for example "022""#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], umask: "1022""#,
      #"3: channels[0] "cats": umask: "1022" is not a umask; write three or four octal digits in quotes, for example "022""#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], env: { LANG: true }"#,
      #"3: channels[0] "cats": env.LANG: expected text in quotes, found true; for example "C.UTF-8""#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], timout: "1h""#,
      #"3: channels[0] "cats": timout: unknown key; did you mean "timeout"?"#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], settle: "1h""#,
      #"3: channels[0] "cats": settle: unknown key; it belongs at the top level"#
    ),
    (
      #"id: 7, name: "cats", command: ["x"], id: 8"#,
      #"3: channels[0] "cats": id: given twice; remove one; the first is in line 3"#
    ),
    (
      #"id: 7, name: "cats", command: ["x"] }, { id: 7, name: "dogs", command: ["x"]"#,
      #"3: channels[1] "dogs": id: 7 is taken; the channel in line 3 has it; choose another"#
    ),
    (
      #"id: 7, name: "cats", command: ["x"] }, { id: 8, name: "cats", command: ["x"]"#,
      #"3: channels[1] "cats": name: "cats" is taken; the channel in line 3 has it; choose another"#
    ),
    (
      #"id: 7, name: "cats", command: ["x"] }, 5, { id: 8, name: "dogs", command: ["x"]"#,
      "3: channels[1]: expected an object in braces, found the number 5"
    ),
  ]

  @Test("A fault of a channel names the channel", arguments: channels)
  func channelFault(_ keys: String, _ expected: String) {
    #expect(faults(channel(keys)) == [expected])
  }

  @Test(
    "A name may be at most 200 bytes long, so that it fits into the name of a directory",
    arguments: [(200, true), (201, false)])
  func nameLength(_ length: Int, _ isGood: Bool) {
    let name = String(repeating: "n", count: length)
    #expect(faults(channel("id: 7, name: \"\(name)\", command: [\"x\"]")).isEmpty == isGood)
  }

  @Test(
    "An id may be at most 2^53, which every JSON reader can read",
    arguments: [(1 << 53, true), (1 << 53 + 1, false)])
  func greatestID(_ id: Int, _ isGood: Bool) {
    #expect(faults(channel("id: \(id), name: \"n\", command: [\"x\"]")).isEmpty == isGood)
  }
}
