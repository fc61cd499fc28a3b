import Foundation
import TestSupport
import Testing

@Suite("Promise 6: a crash costs a repetition, never a request", .alone)
struct Promise6CrashRepeatsTests {
  @Test("The next run after a crash finishes the claimed trigger in another attempt")
  func crashCostsARepetition() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/crash"] }"#)
    try instance.makeCrashHandler(attempts: "1")
    try instance.drop("a.json")
    try instance.crashInJob()
    #expect(try instance.pending() == [])
    #expect(try instance.records(of: "a.json") == [])

    let next = try instance.bobbin("run", "--spool-only", "--json")
    #expect(next.status == 0)
    #expect(next.errorLine(with: " warning recovered", "trigger=a.json", "attempt=1") != nil)
    #expect(try instance.ledger() == ["a.json 1", "a.json 2"])
    let records = try instance.records(of: "a.json")
    #expect(records.count == 1)
    #expect(records.first?["outcome"] == "succeeded")
    #expect(records.first?["attempt"] == 2)
    #expect(try instance.claimed() == [])
    #expect(try instance.names("running") == [])
  }

  @Test("A job that is cut short `max_attempts` times is failed as interrupted")
  func attemptsEnd() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/crash"] }"#, settings: "max_attempts: 2,")
    try instance.makeCrashHandler(attempts: "*")
    try instance.drop("a.json")
    try instance.drop("b.json", "99")
    try instance.crashInJob()
    try instance.crashInJob()
    // The second attempt comes before b.json, and a third attempt is not begun.
    let last = try instance.bobbin("run", "--spool-only", "--json")
    #expect(last.status == 1)
    #expect(try last.json["triggers"]["failed"] == 2)
    #expect(try instance.ledger() == ["a.json 1", "a.json 2"])
    let record = try #require(try instance.records(of: "a.json").first)
    #expect(record["outcome"] == "interrupted")
    #expect(record["attempt"] == 2)
    #expect(try instance.document("failed/a.json")["success"] == false)
    #expect(try instance.names("failed") == ["a.json", "b.json"])
  }

  @Test("A trigger of a channel with `rerun: false` is not run again")
  func rerunFalse() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/crash"], rerun: false }"#)
    try instance.makeCrashHandler(attempts: "*")
    try instance.drop("a.json")
    try instance.crashInJob()
    let next = try instance.bobbin("run", "--spool-only")
    #expect(next.status == 1)
    #expect(try instance.ledger() == ["a.json 1"])
    let records = try instance.records(of: "a.json")
    #expect(records.map { $0["outcome"] } == ["interrupted"])
    #expect(records.first?["error_message"].string?.contains("rerun") == true)
    #expect(try instance.names("failed") == ["a.json"])
  }

  @Test(
    "An attempt that the batch's own stop cut short does not count, although the batch was killed meanwhile")
  func killedWhileStopping() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/stay"], grace: "1h" }"#,
      settings: "max_attempts: 1,")
    try instance.handler(
      "stay",
      """
      [ -e ../stopped ] && exec handlers/note
      trap 'echo $$ >../gates/started' TERM
      echo begun >../gates/started
      while :; do read -r line <../gates/release; done
      """)
    try instance.drop("a.json")
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    run.signal(SIGTERM)
    // The job has been asked to end, and does not. Then whoever stops the batch loses patience.
    let job = try #require(Int32(try instance.started.wait()))
    run.signal(SIGKILL)
    #expect(try run.wait().status == -SIGKILL)
    kill(job, SIGKILL)
    try waitUntil("the job has ended") { try !instance.isLocked("channels/1.lock") }

    try instance.directory.write("stopped")
    let next = try instance.bobbin("run", "--spool-only")
    #expect(next.status == 0)
    #expect(next.errorLine(with: " warning recovered", "stopped", "trigger=a.json") != nil)
    #expect(try instance.ledger() == ["manual demo a.json"])
    #expect(try instance.names("done") == ["a.json"])
    let records = try instance.records(of: "a.json")
    #expect(records.map { $0["outcome"] } == ["succeeded"])
    #expect(records.map { $0["attempt"] } == [1])
    #expect(try instance.names("running") == [])
  }
}
