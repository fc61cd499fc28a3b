import Foundation
import TestSupport
import Testing

@Suite("Promise 1: nothing lost", .alone)
struct Promise1NothingLostTests {
  @Test("Every file ends in exactly one folder, with one final record")
  func nothingLost() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/note"] },
        { id: 2, name: "bad", command: ["handlers/fail"] },
        { id: 3, name: "off", command: ["handlers/note"], enabled: false },
        """, settings: #"settle: "10ms","#)
    let spool = instance.spool
    try instance.drop("good.json")
    try instance.drop("1.json", "")
    try instance.drop("fails.json", "2")
    try instance.drop("off.json", "")
    try instance.drop("unknown.json", "99")
    try instance.drop("stale.json", age: .seconds(3_600))
    try instance.drop("broken.json", "{")
    try instance.drop("withdrawn.json")
    try instance.drop("linked.json")
    try instance.drop("../elsewhere", "1")
    #expect(symlink("../elsewhere", "\(spool)/link.json") == 0)
    #expect(link("\(spool)/linked.json", "\(spool)/twin.json") == 0)
    #expect(mkfifo("\(spool)/pipe.json", 0o600) == 0)
    #expect(mkdir("\(spool)/folder.json", 0o700) == 0)
    let names = try instance.pending()
    #expect(names.count == 13)

    #expect(try instance.bobbin("cancel", "withdrawn.json").status == 0)
    #expect(try instance.bobbin("run", "--spool-only").status == 1)

    #expect(try instance.pending() == [])
    #expect(try instance.claimed() == [])
    for name in names {
      let places = try TestInstance.finalFolders.filter { try instance.names($0).contains(name) }
      #expect(places.count == 1, "\(name) is in \(places)")
      #expect(try instance.records(of: name).count == 1, "records of \(name)")
    }
    let outcomes = Dictionary(
      uniqueKeysWithValues: try names.map { ($0, try instance.records(of: $0).first?["outcome"].string) })
    #expect(
      outcomes == [
        "good.json": "succeeded", "1.json": "succeeded", "fails.json": "failed", "off.json": "failed",
        "unknown.json": "failed", "stale.json": "expired", "broken.json": "rejected",
        "withdrawn.json": "cancelled", "linked.json": "rejected", "link.json": "rejected",
        "twin.json": "rejected", "pipe.json": "rejected", "folder.json": "rejected",
      ])
    #expect(try instance.directory.text("elsewhere") == "1")
  }
}
