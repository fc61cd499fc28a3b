import Foundation
import TestSupport
import Testing

/// What bobbin makes of file systems, kernels and container hosts that differ from what it was made on.
@Suite("Other file systems", .alone)
struct FileSystemTests {
  private static let object = #"{"channel_id": 1}"#

  private func instance(_ settings: String = #"settle: "100ms","#) throws -> TestInstance {
    try TestInstance(settings: settings)
  }

  private func preload(_ mode: [String: String], _ instance: TestInstance) throws -> [String: String] {
    try Preload.environment(in: instance.directory).merging(mode) { $1 }
  }

  /// The names that begin with a full stop.
  private func hidden(_ folder: String, in instance: TestInstance) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(instance.spool)/\(folder)").filter {
      $0.hasPrefix(".")
    }
  }

  @Test("A name that is too long to be claimed on its file system stays, with a warning, and blocks nothing")
  func longName() throws {
    let instance = try instance()
    let environment = try preload(Preload.nameLimit(143), instance)
    let long = "a" + String(repeating: "n", count: 143 - 6) + ".json"
    for name in [long, "b.json"] { try instance.drop(name, Self.object) }
    // It would be expired, and one more that would be rejected.
    let old = "a" + String(repeating: "o", count: 143 - 6) + ".json"
    try instance.drop(old, Self.object, age: .seconds(7_200))
    let broken = "a" + String(repeating: "p", count: 143 - 6) + ".json"
    try instance.drop(broken, "{ broken")

    let run = try instance.bobbin("run", environment: environment)
    #expect(run.status == 1, "\(run)")
    for name in [long, old, broken] {
      #expect(
        run.errorLine(
          with: " warning trigger left pending", "File name too long", "give it a shorter name", name) != nil)
    }
    #expect(try instance.ledger() == ["scheduled demo -", "manual demo b.json"])
    #expect(try instance.pending() == [long, old, broken])

    try instance.drop("c.json", Self.object)
    let cancel = try instance.bobbin("cancel", long, "c.json", environment: environment)
    #expect(cancel.status == 1, "\(cancel)")
    #expect(cancel.errorLine(with: " error trigger not cancelled", "give it a shorter name", long) != nil)
    #expect(try instance.names("cancelled") == ["c.json"])
    #expect(try instance.bobbin("prune", environment: environment).status == 1)
    #expect(try instance.bobbin("cancel", "--all", environment: environment).status == 1)
    #expect(try instance.pending() == [long, old, broken])
  }

  @Test(
    "What is set aside loses the end of its name when that is too long for the file system, and stops no run")
  func longForeignName() throws {
    let instance = try instance()
    let environment = try preload(Preload.nameLimit(143), instance)
    // As long as a claim allows: `1.1.` stands before it.
    let name = String(repeating: "n", count: 143 - 4 - 5) + ".json"
    try instance.directory.write("spool/done/\(name)/note", "kept")
    try instance.drop(name, Self.object)
    let run = try instance.bobbin("run", "--spool-only", environment: environment)
    #expect(run.status == 0, "\(run)")
    #expect(try instance.document("done/\(name)")["success"] == true)
    let aside = try #require(try hidden("done", in: instance).first { $0.hasPrefix(".foreign-nnn") })
    #expect(aside.utf8.count == 143)
    #expect(try instance.directory.text("spool/done/\(aside)/note") == "kept")
    #expect(try instance.claimed() == [])
  }
}
