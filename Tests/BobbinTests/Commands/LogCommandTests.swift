import TestSupport
import Testing

@Suite("The output of bobbin log", .alone)
struct LogCommandTests {
  @Test(
    "The command prints the output of a job, nothing for a silent job, and exits with 65 for an unknown id")
  func log() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/talk"] }"#)
    try instance.handler("talk", #"if [ "$BOBBIN_TRIGGER" = a.json ]; then echo out; echo err >&2; fi"#)
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    let log = try instance.bobbin("log", "1")
    #expect(log.status == 0)
    #expect(Set(log.outputLines) == ["out", "err"])
    #expect(try instance.bobbin("log", "1", "--json").json["log"].string == log.output)
    #expect(try instance.bobbin("log", "1", "--json").json["id"] == 1)
    let silent = try instance.bobbin("log", "2")
    #expect(silent.status == 0 && silent.output == "")
    #expect(silent.errorLine(with: " info the job wrote nothing", "id=2") != nil)
    #expect(try instance.bobbin("log", "2", "--json").json == ["id": 2, "log": ""])
    let unknown = try instance.bobbin("log", "99")
    #expect(unknown.status == 65)
    #expect(unknown.error.contains("no job with the id 99"))
  }

  @Test(
    "A record that is not of a job is refused with 65 and described",
    arguments: [
      ("run", "it is that of the record of run 1, which bobbin history shows"),
      ("expired", "trigger old.json expired: requested at "),
      ("rejected", "trigger bad.json was rejected: not valid JSON"),
      ("cancelled", "trigger none.json was cancelled\n"),
      ("failed", "trigger gone.json failed without one: no channel 99 in "),
    ])
  func noJob(outcome: String, message: String) throws {
    let instance = try TestInstance(settings: #"settle: "10ms","#)
    switch outcome {
    case "expired": try instance.drop("old.json", age: .seconds(3_600))
    case "rejected": try instance.drop("bad.json", "{")
    case "failed": try instance.drop("gone.json", "99")
    case "cancelled":
      try instance.drop("none.json")
      #expect(try instance.bobbin("cancel", "none.json").status == 0)
    // A file that is no claim gives a run something to look at, and nothing to record but itself.
    default: try instance.directory.write("spool/running/foreign")
    }
    _ = try instance.bobbin("run", "--spool-only")
    #expect(try instance.history().first?["id"] == 1)
    for options in [[], ["--json"], ["--quiet"]] {
      let result = try instance.start(["log", "1"] + options).wait()
      #expect(result.status == 65)
      #expect(result.output == "")
      #expect(result.errorLines.count == 1)
      #expect(result.error.hasPrefix("bobbin: no job has the id 1: \(message)"), "\(result.error)")
    }
  }
}
