import Foundation
import TestSupport
import Testing

@Suite("Trigger files that people and programs drop", .alone)
struct TriggerFileTests {
  private static let channels = """
    { id: 1, name: "demo", command: ["handlers/note"] },
    { id: 7, name: "cats", command: ["handlers/note"] },
    """

  @Test("A run says that an expired file arrived later than its time, and how to ask again")
  func lateArrival() throws {
    let instance = try TestInstance()
    try instance.drop("it's.json", age: .seconds(3_600))
    try instance.drop(
      "stated.json",
      #"{"channel": 1, "timestamp": "2020-01-01T00:00:00Z"}"#.replacing(
        "1,", with: "\"demo\","))
    let run = try instance.bobbin("run")
    let moved = try #require(run.errorLine(with: "trigger expired", "trigger=it's.json"))
    #expect(moved.contains(" arrived=20"), "\(moved)")
    #expect(moved.contains("touch 'it'"), "\(moved)")
    #expect(moved.contains("before it is moved or copied here, or bobbin trigger 'demo'"), "\(moved)")
    let stated = try #require(run.errorLine(with: "trigger expired", "trigger=stated.json"))
    #expect(stated.contains(" arrived=20"), "\(stated)")
    #expect(stated.contains("remedy=\"ask again: bobbin trigger 'demo'\""), "\(stated)")
    let reason = try #require(try instance.records(of: "it's.json").first?["error_message"].string)
    #expect(reason.contains("although the file arrived at 20"), "\(reason)")
  }

  @Test("A file that arrived when it was requested has no second time")
  func promptArrival() throws {
    let instance = try TestInstance(settings: #"expire_after: "1ms","#)
    try instance.drop("a.json")
    let run = try instance.bobbin("run")
    let line = try #require(run.errorLine(with: "trigger expired"))
    #expect(!line.contains("arrived"), "\(line)")
    #expect(line.contains("remedy=\"ask again: bobbin trigger 'demo'\""), "\(line)")
  }

  @Test(
    "A trigger names a channel by an object, a scalar or its file name",
    arguments: [
      ("x.json", #"{"channel_id": 7}"#, "cats"), ("x.json", #"{"channel": "cats"}"#, "cats"),
      ("x.json", #"{"channel_id": 7, "channel": "cats"}"#, "cats"),
      ("x.json", #" {"channel_id":1,"colour":["blue"],"n":null} "#, "demo"),
      ("x.json", "7", "cats"), ("x.json", "7\n", "cats"), ("x.json", "\r\n\t 7 ", "cats"),
      ("x.json", #""cats""#, "cats"), ("x.json", "\u{FEFF}7", "cats"),
      ("x.json", "\u{FEFF}{\"channel\":\"demo\"}\n", "demo"),
      ("7.json", "", "cats"), ("cats.json", "", "cats"), ("cats.json", "\n \n", "cats"),
      ("7.json", "1", "demo"), ("-x.json", "1", "demo"), ("a b*.json", "1", "demo"),
    ])
  func accepted(name: String, content: String, channel: String) throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop(name, content)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == ["manual \(channel) \(name)"])
    #expect(try instance.document("done/\(name)")["content"] == .string(content))
  }

  @Test(
    "An empty file whose name begins with a time names the channel after it", arguments: ["7", "cats"])
  func timeInName(channel: String) throws {
    let instance = try TestInstance(channels: Self.channels)
    let format = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)
    let now = Date.now.formatted(format)
    let past = Date.now.addingTimeInterval(-3_600).formatted(format)
    try instance.drop("\(now)-\(channel).json", "")
    try instance.drop("\(past)-\(channel).json", "")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == ["manual cats \(now)-\(channel).json"])
    // The age counts from the time in the name, not from the file's time.
    #expect(try instance.names("expired") == ["\(past)-\(channel).json"])
  }

  @Test("A timestamp in the content takes precedence over the time in the name and the file's time")
  func timestampFirst() throws {
    let instance = try TestInstance(channels: Self.channels)
    let past = Date.now.addingTimeInterval(-3_600).formatted(.iso8601)
    try instance.drop("a.json", #"{"channel_id": 1, "timestamp": "\#(past)"}"#)
    try instance.drop(
      "20200101T000000Z-1.json", #"{"channel_id": 1, "timestamp": "\#(Date.now.formatted(.iso8601))"}"#,
      age: .seconds(7_200))
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == ["manual demo 20200101T000000Z-1.json"])
    #expect(try instance.names("expired") == ["a.json"])
  }

  @Test(
    "A file that cannot be a trigger is rejected as it is, and the history says why",
    arguments: [
      ("x.json", "{", "not valid JSON"), ("x.json", "{\"channel\":", "not valid JSON"),
      ("x.json", "1 1", "neither an object in braces, a channel's id nor its name"),
      (
        "x.json", #"{"channel_id":1}{"channel_id":1}"#,
        "not valid JSON: line 1, column 17: there is text after"
      ),
      ("x.json", "[1]", "an array; one object is a trigger"),
      ("x.json", "{}", #"does not name a channel: "channel_id" or "channel" is required"#),
      ("x.json", #"{"user":"anna"}"#, "does not name a channel"),
      ("x.json", #"{"channel_id":true}"#, #""channel_id" must be an id or a name, not true"#),
      ("x.json", #"{"channel_id":1,"channel_id":1}"#, #""channel_id" is given twice"#),
      ("x.json", #"{"channel":"de\u0001mo"}"#, #""channel" contains a control character"#),
      ("x.json", String(repeating: " ", count: 65_537), "larger than 64 KiB"),
      ("line\nbreak.json", "", "empty, and its name does not state a channel"),
    ])
  func rejected(name: String, content: String, reason: String) throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop(name, content)
    try instance.drop("y.json", "1")
    let run = try instance.bobbin("run", "--spool-only", "--json")
    #expect(run.status == 0)
    #expect(try run.json["triggers"]["rejected"] == 1)
    #expect(try instance.names("rejected") == [name])
    #expect(try instance.directory.text("spool/rejected/\(name)") == content)
    let records = try instance.records(of: name)
    #expect(records.map { $0["outcome"] } == ["rejected"])
    #expect(records.first?["error_message"].string?.contains(reason) == true, "\(records)")
    let warning = try #require(run.errorLine(with: " warning file rejected: "))
    #expect(warning.hasSuffix(" moved_to=\(instance.spool)/rejected"))
    #expect(try instance.ledger() == ["manual demo y.json"])
  }

  @Test(
    "A trigger with an optional field that is not understood is run, and its record counts the warning",
    arguments: [
      (
        #"{"channel_id":1,"user":"a\u001b[2J"}"#,
        #"\"user\" was left out: \"user\" contains a control character"#
      ),
      (
        #"{"channel_id":1,"timestamp":"yesterday"}"#,
        #"\"timestamp\" was left out: the text \"yesterday\" is not a time"#
      ),
    ])
  func leftOut(content: String, warning: String) throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("x.json", content)
    let run = try instance.bobbin("run", "--spool-only")
    #expect(run.status == 0)
    let text = warning.replacingOccurrences(of: #"\""#, with: "\"")
    #expect(run.errorLine(with: " warning \(text)", "trigger=x.json") != nil, "\(run)")
    let record = try #require(try instance.history().first)
    #expect(record["outcome"] == "succeeded")
    #expect(record["warnings"] == 1)
    #expect(record["user"] == .null)
  }

  @Test(
    "What real programs write is understood",
    arguments: [
      // jq 1.7: jq -n --arg id 7 '{channel_id: $id}'
      Array("{\n  \"channel_id\": \"7\"\n}\n".utf8),
      // A shell: echo cats
      Array("cats\n".utf8),
      // Windows PowerShell 5.1: '{"channel": "cats"}' > x.json
      [0xFF, 0xFE] + "{\"channel\": \"cats\"}\r\n".utf8.flatMap { [$0, 0] as [UInt8] },
      // PowerShell: ConvertTo-Json of a list with one entry.
      Array("[\r\n  {\r\n    \"channel_id\": 7\r\n  }\r\n]\r\n".utf8),
      // A text file of CP/M and DOS.
      Array("cats\r\n\u{1A}".utf8),
      // A sequence of JSON texts (RFC 7464) that holds one.
      Array("\u{1E}{\"channel\": \"cats\"}\n".utf8),
    ] as [[UInt8]])
  func realPrograms(content: [UInt8]) throws {
    let instance = try TestInstance(channels: Self.channels)
    try Data(content).write(to: URL(filePath: "\(instance.spool)/x.json"))
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == ["manual cats x.json"])
  }

  @Test(
    "A fresh request is fresh wherever its writer's clock says so without a zone",
    arguments: ["EST5EDT", "UTC0", "JST-9"])
  func localTime(zone: String) throws {
    let instance = try TestInstance(channels: Self.channels)
    let write =
      #"date '+{"channel_id": 1, "timestamp": "%Y-%m-%dT%H:%M:%S"}' >"$1/local.json""#
      + #"; date -u '+{"channel_id": 1, "timestamp": "%Y-%m-%dT%H:%M:%S"}' >"$1/utc.json""#
    let environment = ["TZ": zone]
    let shell = try Program("/bin/sh", ["-c", write, "sh"])
      .start([instance.spool], environment: environment, outputIn: instance.directory).wait()
    #expect(shell.status == 0)
    #expect(try instance.bobbin("run", "--spool-only", environment: environment).status == 0)
    #expect(try instance.names("done") == ["local.json", "utc.json"])
  }

  @Test(
    "A name that ends in .json and is not the trigger's own runs no channel by accident",
    arguments: [
      // Camel's file that says another is complete; aria2's second copy; a conflict that unison kept.
      "ready-7.json", "7.1.json", "7 (conflict_on_2026-01-31).json", "7~.json", "7.part.json",
      "copy of 7.json",
    ])
  func notItsOwnName(name: String) throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop(name, "")
    #expect(try instance.bobbin("run", "--spool-only").status == 1)
    #expect(try instance.ledger() == [])
    #expect(try instance.names("failed") == [name])
    #expect(
      try instance.document("failed/\(name)")["error_message"].string?.hasPrefix("no channel \"") == true)
  }

  @Test(
    "A trigger for a channel that is unknown, disabled or ambiguous fails, with the reason",
    arguments: [
      ("99", "no channel 99 in "), (#""nosuch""#, #"no channel "nosuch" in "#),
      (#""off""#, #"channel "off" is disabled in "#),
      (#"{"channel_id": 1, "channel": "off"}"#, #"1 and "off" are two different channels"#),
    ])
  func failed(content: String, reason: String) throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/note"] },
        { id: 2, name: "off", command: ["handlers/note"], enabled: false },
        """)
    try instance.drop("x.json", content)
    let run = try instance.bobbin("run", "--spool-only")
    #expect(run.status == 1)
    #expect(run.errorLine(with: " error trigger failed: ", "trigger=x.json") != nil)
    let document = try instance.document("failed/x.json")
    #expect(document["status"] == "completed")
    #expect(document["success"] == false)
    #expect(document["error_message"].string?.hasPrefix(reason) == true)
    #expect(try instance.ledger() == [])
  }

  @Test(
    "A file whose name is not a trigger's is left alone",
    arguments: ["note.txt", ".hidden.json", "x.json.tmp", "x.JSON", ".json"])
  func ignored(name: String) throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop(name, "1")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.directory.text("spool/\(name)") == "1")
    #expect(try instance.ledger() == [])
  }

  @Test("A trigger whose name is not valid UTF-8 keeps the bytes of its name, and is also recorded in base64")
  func bytesAsName() throws {
    let instance = try TestInstance(channels: Self.channels)
    let shell = try Program("/bin/sh", ["-c", #"cd "$1" && printf 1 >"$(printf '\377x.json')""#, "sh"])
      .start([instance.spool], outputIn: instance.directory).wait()
    #expect(shell.status == 0)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    let record = try #require(try instance.history().first)
    #expect(record["trigger_b64"] == .string(Data([0xFF] + "x.json".utf8).base64EncodedString()))
    #expect(record["trigger"] == "\u{FFFD}x.json")
    let find = try Program("/bin/sh", ["-c", #"test -e "$1/done/$(printf '\377x.json')""#, "sh"])
      .start([instance.spool], outputIn: instance.directory).wait()
    #expect(find.status == 0)
  }

  @Test("A run waits for a file that is still open for writing")
  func slowWriter() throws {
    let instance = try TestInstance(channels: Self.channels, settings: #"settle: "1h","#)
    let file = try #require(fopen("\(instance.spool)/a.json", "we"))
    // Half of a number is also a number. Only the open file shows that it is not complete.
    fputs("7", file)
    fflush(file)
    try instance.drop("b.json", "1")
    let run = try instance.start("run", "--spool-only", "--json")
    try waitUntil("the complete trigger is run") { try instance.ledger() == ["manual demo b.json"] }
    #expect(run.isRunning)
    #expect(try instance.pending().contains("a.json"))
    fputs("\n", file)
    fclose(file)
    #expect(try run.wait().json["triggers"]["succeeded"] == 2)
    #expect(try instance.ledger() == ["manual demo b.json", "manual cats a.json"])
  }

  @Test(
    "A name is only a name, even if a shell or an option parser would interpret it",
    arguments: [
      "-n.json", "--help.json", "a b *.json", "$(touch x).json", "line\nbreak.json", "ä.json", "';.json",
    ])
  func strangeName(name: String) throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop(name, "1")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.names("done") == [name])
    #expect(try instance.history().first?["trigger"] == .string(name))
    #expect(try instance.pending() == [])
  }

  @Test("A trigger whose name has 255 bytes is processed")
  func longestName() throws {
    let instance = try TestInstance(channels: Self.channels)
    let name = String(repeating: "x", count: 250) + ".json"
    try instance.drop(name, "1")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    let ends = try ["done", "failed", "rejected"].flatMap { try instance.names($0) }
    #expect(ends == [name])
    #expect(try instance.history().first?["trigger"] == .string(name))
  }
}
