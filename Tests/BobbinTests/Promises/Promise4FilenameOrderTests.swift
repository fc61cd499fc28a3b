import Foundation
import TestSupport
import Testing

@Suite("Promise 4: filename order", .alone)
struct Promise4FilenameOrderTests {
  @Test("A new name that sorts first is run before pending triggers, within a second")
  func overtaking() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/slow"] }"#)
    // The first job takes longer than the greatest age of a scan (one second), which is what this test checks.
    try instance.handler(
      "slow",
      """
      echo "$BOBBIN_TRIGGER" >>../ledger
      if [ "$BOBBIN_TRIGGER" = b.json ]; then echo 1 >../spool/a.json; sleep 1; fi
      """)
    for name in ["b.json", "c.json", "d.json"] { try instance.drop(name) }
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(try instance.ledger() == ["b.json", "a.json", "c.json", "d.json"])
  }
}
