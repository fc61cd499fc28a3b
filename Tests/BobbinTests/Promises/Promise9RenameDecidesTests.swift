import Foundation
import TestSupport
import Testing

@Suite("Promise 9: the rename decides ownership", .alone)
struct Promise9RenameDecidesTests {
  @Test("Two batches with broken locks do not run a trigger twice")
  func renameDecides() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/meet"] }"#)
    // The first job of each batch waits for the other batch, so that both batches then work at the same time.
    try instance.handler(
      "meet",
      """
      echo "$BOBBIN_TRIGGER" >>../ledger
      case $BOBBIN_TRIGGER in
      0-*) echo here >../gates/started; read -r line <../gates/release ;;
      esac
      """)
    let names = ["0-first.json", "0-second.json"] + (100..<140).map { "t-\($0).json" }
    for name in names { try instance.drop(name) }
    let environment = try Preload.environment(in: instance.directory).merging(Preload.brokenLocks) { $1 }
    let first = try instance.start("run", "--spool-only", environment: environment)
    try instance.started.wait()
    // The second batch finds the claim of the first, which is alive, and leaves it alone.
    let second = try instance.start("run", "--spool-only", environment: environment)
    try instance.started.wait()
    #expect(first.isRunning && second.isRunning)
    try instance.release.pass(times: 2)
    #expect(try first.wait().status == 0)
    #expect(try second.wait().status == 0)
    #expect(try instance.ledger().sorted() == names)
    #expect(try instance.names("done") == names)
    #expect(try instance.pending() == [])
  }
}
