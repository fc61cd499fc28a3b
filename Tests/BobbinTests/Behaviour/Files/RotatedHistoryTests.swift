import Foundation
import TestSupport
import Testing

/// A crash between the record of a job and the end of its claim, and then a rotation: the record must be found, or the
/// job must not be repeated.
@Suite("The rotated history", .alone)
struct RotatedHistoryTests {
  private static let names = [
    "history.jsonl.1", "history.jsonl.7", "history.jsonl-20261127", "history.jsonl-20261127.1",
  ]

  /// What kills the batch after the record of `a.json`: before its result has its name, or after that.
  enum Point: String, CaseIterable {
    case beforeResult, afterResult
  }

  private func instance(isFresh: Bool) throws -> TestInstance {
    let instance = try TestInstance()
    if isFresh { return instance }
    try instance.drop("before.json")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    return instance
  }

  private func crash(_ point: Point, _ instance: TestInstance) throws {
    try instance.drop("a.json")
    let environment =
      switch point {
      case .beforeResult: Preload.killAtMove(to: "a.json")
      case .afterResult: Preload.killAtRemoval(of: ".a.json")
      }
    let run = try instance.bobbin(
      "run", "--spool-only",
      environment: try Preload.environment(in: instance.directory).merging(environment) { $1 })
    #expect(run.status == -SIGKILL)
    #expect(try instance.records(of: "a.json").count == 1)
    #expect(try instance.claimed().count == 1)
  }

  /// How often `a.json` was executed.
  private func executions(_ instance: TestInstance) throws -> Int {
    try instance.ledger().filter { $0 == "manual demo a.json" }.count
  }

  @Test(
    "A claim whose record was rotated away under any name is finished, and its job is not repeated",
    arguments: names, [true, false])
  func found(name: String, isFresh: Bool) throws {
    let instance = try instance(isFresh: isFresh)
    try crash(.beforeResult, instance)
    try instance.directory.rename("spool/history.jsonl", "spool/\(name)")
    let run = try instance.bobbin("run", "--spool-only")
    #expect(run.status == 0)
    #expect(run.errorLine(with: " info recovered: already recorded", "trigger=a.json") != nil)
    #expect(try executions(instance) == 1)
    #expect(try instance.names("done").contains("a.json"))
    #expect(try instance.names("failed") == [])
    #expect(try instance.claimed() == [])
  }

  enum Removal: String, CaseIterable {
    /// Moved to another folder.
    case olddir
    case compressed
    case removed
    /// Moved to another folder, and an empty file put in its place.
    case created
  }

  private func remove(_ removal: Removal, _ instance: TestInstance) throws {
    let history = "\(instance.spool)/history.jsonl"
    switch removal {
    case .removed: try FileManager.default.removeItem(atPath: history)
    case .olddir, .created:
      try FileManager.default.createDirectory(
        atPath: "\(instance.spool)/old", withIntermediateDirectories: true)
      try instance.directory.rename("spool/history.jsonl", "spool/old/history.jsonl.1")
    case .compressed:
      #expect(
        try Program("/usr/bin/env", ["gzip", history]).start(outputIn: instance.directory).wait().status == 0)
      try instance.directory.rename("spool/history.jsonl.gz", "spool/history.jsonl-20261127.gz")
    }
    guard removal == .created else { return }
    try instance.directory.write("spool/history.jsonl", "")
  }

  @Test(
    "A job whose record may be out of reach is failed as interrupted, not repeated",
    arguments: Removal.allCases, [true, false])
  func outOfReach(removal: Removal, isFresh: Bool) throws {
    let instance = try instance(isFresh: isFresh)
    try crash(.beforeResult, instance)
    try remove(removal, instance)
    let run = try instance.bobbin("run", "--spool-only")
    #expect(run.status == 1)
    #expect(try executions(instance) == 1)
    let records = try instance.records(of: "a.json")
    #expect(records.map { $0["outcome"] } == ["interrupted"])
    #expect(records.first?["error_message"].string?.contains("the history of that time") == true)
    #expect(try instance.names("failed") == ["a.json"])
    #expect(try !instance.names("done").contains("a.json"))
    #expect(try instance.claimed() == [])
  }

  @Test(
    "A claim whose result is published is finished although its record is out of reach",
    arguments: Removal.allCases)
  func published(removal: Removal) throws {
    let instance = try instance(isFresh: false)
    try crash(.afterResult, instance)
    try remove(removal, instance)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try executions(instance) == 1)
    #expect(try instance.document("done/a.json")["success"] == true)
    #expect(try instance.names("failed") == [])
    #expect(try instance.claimed() == [])
  }

  @Test("A job that is out of reach while an orphan holds its channel is not repeated after that, either")
  func deferredOutOfReach() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/note"] }, { id: 2, name: "two", command: ["handlers/note"] },
        """)
    try instance.drop("0.json", "2")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    try crash(.beforeResult, instance)
    try remove(.olddir, instance)
    let script = "read -r line <'\(instance.release.path)'"
    let lock = try Program(
      "/usr/bin/env", ["flock", "\(instance.spool)/channels/1.lock", "sh", "-c", script]
    ).start(outputIn: instance.directory)
    try waitUntil("the channel is locked") { try instance.isLocked("channels/1.lock") }
    try instance.drop("b.json", "2")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.claimed().count == 1)
    try instance.release.pass()
    _ = try lock.wait()
    #expect(try instance.bobbin("run", "--spool-only").status == 1)
    #expect(try executions(instance) == 1)
    #expect(try instance.names("failed") == ["a.json"])
  }

  // MARK: What must not be taken for that

  enum Ordinary: String, CaseIterable {
    /// The first job of a new spool.
    case fresh
    /// The history was rotated by number, by date, or again and again, and the oldest was removed.
    case rotatedBefore, rotatedAfter, datedAfter, pruned
    /// A person removed all of it while nothing was claimed.
    case removedBefore
    /// The last rotated one was compressed, before the trigger was claimed.
    case compressedBefore
    /// Somebody else's file has a name like it.
    case foreign
  }

  @Test(
    "A job that was cut short is repeated, whatever was rotated or removed in good order",
    arguments: Ordinary.allCases)
  func repeated(case ordinary: Ordinary) throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/crash"] }"#)
    try instance.makeCrashHandler(attempts: "1")
    if ordinary != .fresh {
      try instance.drop("before.json", "99")
      #expect(try instance.bobbin("run", "--spool-only").status == 1)
    }
    func rotate(to name: String) throws {
      try instance.directory.rename("spool/history.jsonl", "spool/\(name)")
    }
    switch ordinary {
    case .rotatedBefore: try rotate(to: "history.jsonl.1")
    case .removedBefore: try remove(.removed, instance)
    case .compressedBefore: try remove(.compressed, instance)
    case .foreign:
      try instance.directory.write("other", "x")
      #expect(link("\(instance.directory.path)/other", "\(instance.spool)/history.jsonl.gz") == 0)
    case .fresh, .rotatedAfter, .datedAfter, .pruned: break
    }
    try instance.drop("a.json")
    try instance.crashInJob()
    switch ordinary {
    case .rotatedAfter: try rotate(to: "history.jsonl.1")
    case .datedAfter: try rotate(to: "history.jsonl-20261127")
    case .pruned:
      try rotate(to: "history.jsonl.1")
      try instance.directory.write("spool/history.jsonl", "")
    case .fresh, .rotatedBefore, .removedBefore, .compressedBefore, .foreign: break
    }
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == ["a.json 1", "a.json 2"])
    #expect(try instance.names("done") == ["a.json"])
  }

  @Test("The first job of a new spool is repeated when an orphan held its channel for a run in between")
  func repeatedAfterOrphan() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "held", command: ["handlers/hold"] }, { id: 2, name: "two", command: ["handlers/note"] },
        """)
    try instance.drop("a.json", "1")
    try instance.killInJob("run", "--spool-only")
    try instance.drop("b.json", "2")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    try instance.release.pass()
    try waitUntil("the orphan has ended") { try !instance.isLocked("channels/1.lock") }
    try instance.release.pass()
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.records(of: "a.json").map { $0["attempt"] } == [2])
  }

  @Test("The commands status, history, log and trigger read every rotated history, newest first")
  func readers() throws {
    let instance = try TestInstance()
    for (index, name) in ["history.jsonl-20260901", "history.jsonl.3", "history.jsonl-20261127.1"]
      .enumerated()
    {
      #expect(try instance.bobbin("run").status == 0)
      try instance.directory.rename("spool/history.jsonl", "spool/\(name)")
      #expect(try instance.bobbin("status", "--json").json["last_run"]["run"].number == Double(index + 1))
    }
    try instance.directory.write("spool/history.jsonl-20260801.gz", "\u{1F}")
    let ids = try instance.bobbin("history", "--json", "--limit", "0").jsonLines.map { $0["id"] }
    #expect(ids == [1, 2, 3, 4, 5, 6])
    #expect(try instance.bobbin("log", "1").status == 0)
    #expect(unlink("\(instance.spool)/.history-id") == 0)
    #expect(try instance.bobbin("run").status == 0)
    #expect(try instance.history().map { $0["id"] } == [7, 8])
  }
}
