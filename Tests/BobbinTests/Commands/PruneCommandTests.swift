import Foundation
import TestSupport
import Testing

@Suite("Pruned triggers and results", .alone)
struct PruneCommandTests {
  @Test(
    "The command prune expires each stale trigger with a warning, and removes old results")
  func prune() throws {
    let instance = try TestInstance()
    try instance.drop("done.json")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    try instance.directory.setAge("spool/done/done.json", .seconds(8 * 86_400))
    try instance.drop("old.json", age: .seconds(3_600))
    try instance.drop("young.json")
    let result = try instance.bobbin("prune", "--json")
    #expect(result.status == 0)
    #expect(try result.json == ["expired": 1, "left": 0, "removed": 1])
    #expect(
      result.errorLine(with: " warning trigger expired", "trigger=old.json", "age=1h ", "moved_to=") != nil)
    #expect(try instance.pending() == ["young.json"])
    #expect(try instance.names("expired") == ["old.json"])
    #expect(try instance.names("done") == [])
    #expect(try instance.records(of: "old.json").map { $0["outcome"] } == ["expired"])
    #expect(try instance.bobbin("prune").output == "0 expired, 0 old files removed\n")
    #expect(try instance.bobbin("prune", "--quiet").output == "")
  }
}
