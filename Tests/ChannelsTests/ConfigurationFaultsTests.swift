import Channels
import TestSupport
import Testing

@Suite("Faults of a configuration's values", .alone)
struct ConfigurationFaultsTests {
  static let topLevel: [(String, String)] = [
    (#"setle: "2s","#, #"2: setle: unknown key; did you mean "settle"?"#),
    (#""expire-after": "2s","#, #"2: expire-after: unknown key; did you mean "expire_after"?"#),
    (#"SPOOL: "x","#, #"2: SPOOL: unknown key; did you mean "spool"?"#),
    (
      "wibble: 1,",
      "2: wibble: unknown key; valid here: spool, library, lock, expire_after, settle, rest, keep_results, "
        + "max_attempts, time_zone, commands, defaults, channels"
    ),
    (#"timeout: "2h","#, "2: timeout: unknown key; it belongs in defaults or in a channel"),
    (#"rest: "61s","#, #"2: rest: longer than 1m; a run would wait for every file that long"#),
    (#"settle: "2","#, #"2: settle: "2" has no unit; write "2s", with the unit"#),
    ("settle: 2,", #"2: settle: 2 has no unit; write "2s", with the unit"#),
    (
      #"settle: "soon","#,
      #"2: settle: "soon" is not a duration; write whole numbers with d, h, m, s or ms, for example "30m" or "1h30m""#
    ),
    (#"settle: "40000d","#, #"2: settle: "40000d" is too long; at most "36500d""#),
    ("settle: 2s,", #"2: settle: expected a duration, found an unreadable number; for example "2s""#),
    ("settle: 2.5,", #"2: settle: expected a duration, found the number 2.5; for example "2s""#),
    ("settle: -1,", #"2: settle: expected a duration, found the number -1; for example "2s""#),
    ("expire_after: true,", #"2: expire_after: expected a duration, found true; for example "30m""#),
    ("keep_results: null,", #"2: keep_results: expected a duration, found null; for example "7d""#),
    ("max_attempts: 0,", "2: max_attempts: 0 is out of range; it must be 1 or more; for example 3"),
    ("max_attempts: -3,", "2: max_attempts: -3 is out of range; it must be 1 or more; for example 3"),
    (
      "max_attempts: 9007199254740993,",
      "2: max_attempts: 9007199254740993 is out of range; it must be at most 2^53; for example 3"
    ),
    ("max_attempts: 1.5,", "2: max_attempts: expected a whole number, found the number 1.5; for example 3"),
    (
      #"max_attempts: "4","#,
      #"2: max_attempts: expected a whole number, found the text "4"; write 4, without quotes"#
    ),
    (
      #"max_attempts: "many","#,
      #"2: max_attempts: expected a whole number, found the text "many"; for example 3"#
    ),
    ("max_attempts: [],", "2: max_attempts: expected a whole number, found an array; for example 3"),
    ("spool: 7,", #"2: spool: expected text in quotes, found the number 7; write "7""#),
    ("spool: {},", #"2: spool: expected text in quotes, found an object; for example "../spool""#),
    (#"spool: "","#, #"2: spool: the path is empty; for example "../spool""#),
    (#"spool: "a\tb","#, #"2: spool: control character in "a\tb"; for example "../spool""#),
    (#"spool: "a\u2028b","#, #"2: spool: control character in "a\u{2028}b"; for example "../spool""#),
    (#"library: "~/lib","#, #"2: library: ~ is not replaced in "~/lib"; write the path in full"#),
    (
      #"library: "../spool/.","#,
      "2: library: the same directory as the spool; give each a directory of its own"
    ),
    ("defaults: [],", "2: defaults: expected an object in braces, found an array"),
    ("commands: 3,", "2: commands: expected an object in braces, found the number 3"),
    ("defaults: { id: 7 },", "2: defaults.id: unknown key; it belongs in a channel"),
    (#"defaults: { spool: "x" },"#, "2: defaults.spool: unknown key; it belongs at the top level"),
    (#"defaults: { timeot: "1h" },"#, #"2: defaults.timeot: unknown key; did you mean "timeout"?"#),
    ("defaults: { timeout: 0 },", #"2: defaults.timeout: must be longer than 0; for example "2h""#),
    (#"defaults: { timeout: "0s" },"#, #"2: defaults.timeout: must be longer than 0; for example "2h""#),
    (
      #"defaults: { rerun: "no" },"#,
      #"2: defaults.rerun: expected true or false, found the text "no"; write true or false, without quotes"#
    ),
    (
      "defaults: { rerun: 0 },",
      "2: defaults.rerun: expected true or false, found the number 0; write true or false, without quotes"
    ),
    (
      "defaults: { attempts: 0 },",
      "2: defaults.attempts: 0 is out of range; it must be 1 or more; for example 2"
    ),
    ("defaults: { limit: 0 },", "2: defaults.limit: 0 is out of range; it must be 1 or more; for example 10"),
    (
      #"defaults: { transient: "x" },"#,
      #"2: defaults.transient: expected an array, found the text "x"; for example ["HTTP Error 5..", "timed out"]"#
    ),
    (
      "defaults: { transient: [5] },",
      #"2: defaults.transient[0]: expected text in quotes, found the number 5; for example ["HTTP Error 5..", "timed out"]"#
    ),
    (
      #"defaults: { transient: ["a", ""] },"#,
      "2: defaults.transient[1]: an empty pattern matches every line; remove it"
    ),
    (#"defaults: { stall: 5 },"#, #"2: defaults.stall: 5 has no unit; write "5s", with the unit"#),
    ("defaults: { stall: true },", #"2: defaults.stall: expected a duration, found true; for example "10m""#),
    (
      "defaults: { stop_signal: 15 },",
      #"2: defaults.stop_signal: expected text in quotes, found the number 15; write "15""#
    ),
    (
      #"defaults: { stop_signal: "KILL" },"#,
      #"2: defaults.stop_signal: "KILL" cannot ask a job to end; it must be one of HUP, INT, QUIT, TERM, USR1, USR2"#
    ),
    (
      #"defaults: { stop_signal: "sigint" },"#,
      #"2: defaults.stop_signal: "sigint" cannot ask a job to end; it must be one of HUP, INT, QUIT, TERM, USR1, USR2"#
    ),
    (
      "defaults: { success: 0 },",
      "2: defaults.success: expected an array, found the number 0; for example [0, 101]"
    ),
    (
      "defaults: { success: [] },",
      "2: defaults.success: without an exit status no job could succeed; for example [0, 101]"
    ),
    (
      "defaults: { success: [0, 256] },",
      "2: defaults.success[1]: 256 is not an exit status; it must be from 0 to 255"
    ),
    (
      "defaults: { success: [-1] },",
      "2: defaults.success[0]: -1 is not an exit status; it must be from 0 to 255"
    ),
    (
      #"defaults: { success: ["101"] },"#,
      #"2: defaults.success[0]: expected a whole number, found the text "101"; write 101, without quotes"#
    ),
    (
      "defaults: { success: [true] },",
      "2: defaults.success[0]: expected a whole number, found true; for example [0, 101]"
    ),
    (
      #"defaults: { error_line: ["^ERROR"] },"#,
      #"2: defaults.error_line: expected text in quotes, found an array; for example "^ERROR""#
    ),
    (
      #"defaults: { error_line: "" },"#,
      "2: defaults.error_line: an empty pattern matches every line; remove it"
    ),
    (
      #"defaults: { tolerate: "404" },"#,
      #"2: defaults.tolerate: expected an array, found the text "404"; for example ["HTTP Error 5..", "timed out"]"#
    ),
    (
      #"defaults: { failure: [""] },"#,
      "2: defaults.failure[0]: an empty pattern matches every line; remove it"
    ),
    (
      "defaults: { items: 3 },",
      #"2: defaults.items: expected text in quotes, found the number 3; for example "^>f""#
    ),
    ("defaults: { env: [] },", "2: defaults.env: expected an object in braces, found an array"),
    (
      "defaults: { env: { N: 5 } },",
      #"2: defaults.env.N: expected text in quotes, found the number 5; write "5""#
    ),
    (
      "defaults: { env: { N: null } },",
      #"2: defaults.env.N: expected text in quotes, found null; for example "C.UTF-8""#
    ),
    (
      #"defaults: { env: { BOBBIN_URL: "x" } },"#,
      "2: defaults.env.BOBBIN_URL: the names that begin with BOBBIN_ are Bobbin's own; choose another name"
    ),
    (
      #"defaults: { env: { "1a": "x" } },"#,
      #"2: defaults.env.1a: "1a" is not the name of a variable; use letters, digits and _, and begin with a letter or _"#
    ),
    (
      #"defaults: { env: { "a=b": "x" } },"#,
      #"2: defaults.env."a=b": "a=b" is not the name of a variable; use letters, digits and _, and begin with a letter or _"#
    ),
    (
      #"defaults: { env: { "": "x" } },"#,
      #"2: defaults.env."": "" is not the name of a variable; use letters, digits and _, and begin with a letter or _"#
    ),
    (
      #"defaults: { env: { "é": "x" } },"#,
      #"2: defaults.env.é: "é" is not the name of a variable; use letters, digits and _, and begin with a letter or _"#
    ),
    (#"settle: "1s", settle: "2s","#, "2: settle: given twice; remove one; the first is in line 2"),
    (
      #"defaults: { limit: 1,"# + "\n" + "limit: 2 },",
      "3: defaults.limit: given twice; remove one; the first is in line 2"
    ),
  ]

  @Test(
    "A fault of a value names the line and the key, and says what is wrong and what to write instead",
    arguments: topLevel)
  func fault(_ lines: String, _ expected: String) {
    #expect(faults(top(lines)) == [expected])
  }

  @Test("The channels must be given as an array")
  func channelsMissing() {
    let example =
      #"for example [{ id: 7, name: "cats", command: ["handlers/cats"] }], or [] if there are no channels yet"#
    #expect(faults("{ }") == ["1: channels: missing; \(example)"])
    #expect(faults("{ channels: {} }") == ["1: channels: expected an array, found an object; \(example)"])
  }

  @Test(
    "An invalid pattern is refused with the message of the C library",
    arguments: [
      (#"transient: ["ok", "("]"#, "transient[1]"), (#"tolerate: ["("]"#, "tolerate[0]"),
      (#"failure: ["("]"#, "failure[0]"), (#"error_line: "(""#, "error_line"), (#"items: "(""#, "items"),
    ])
  func pattern(setting: String, key: String) {
    let messages = faults(top("defaults: { \(setting) },"))
    #expect(messages.count == 1)
    #expect(messages[0].hasPrefix("2: defaults.\(key): \"(\" is not a regular expression: "))
    #expect(
      messages[0].hasSuffix(
        #"it must be an extended regular expression, in which a literal ( or [ is written \\( or \\["#))
  }

  @Test("All faults are reported at once, in the order of their lines")
  func several() {
    let text = """
      {
        settle: "2",
        spool: 3,
        defaults: { timeot: "1h" },
        channels: [
          { id: 1, name: "a" },
          {
            id: 1,
            name: "b",
            command: ["x", "{ur}"],
            limit: "3",
          },
        ],
        wait: 1,
      }
      """
    #expect(
      faults(text).map { String($0.prefix { $0 != ";" }) } == [
        #"2: settle: "2" has no unit"#, "3: spool: expected text in quotes, found the number 3",
        "4: defaults.timeot: unknown key", #"6: channels[0] "a": command: missing"#,
        #"8: channels[1] "b": id: 1 is taken"#, #"10: channels[1] "b": command[1]: unknown placeholder {ur}"#,
        #"11: channels[1] "b": limit: expected a whole number, found the text "3""#, "14: wait: unknown key",
      ])
  }

  @Test("The error has one fault on each line, with the file's name")
  func description() {
    let error = #expect(throws: ConfigurationErrors.self) {
      try read("{ settle: 1,\nspool: 2, channels: [] }")
    }
    #expect(
      error?.description == """
        /srv/bobbin/etc/bobbin.json5:1: settle: 1 has no unit; write "1s", with the unit
        /srv/bobbin/etc/bobbin.json5:2: spool: expected text in quotes, found the number 2; write "2"
        """)
  }
}
