import Posix
import Spool
import TestSupport
import Testing

@Suite("Names of claims", .alone)
struct ClaimNameTests {
  static let names: [(ClaimName, String)] = [
    (.init(id: 1, state: .attempt(1), trigger: FileName("7.json")), "1.1.7.json"),
    (.init(id: 42, state: .attempt(12), trigger: FileName("a.b.json")), "42.12.a.b.json"),
    (.init(id: 42, state: .stopping(2), trigger: FileName("7.json")), "42.stop-2.7.json"),
    (.init(id: 3, state: .expired, trigger: FileName("7.json")), "3.expired.7.json"),
    (.init(id: 3, state: .rejected, trigger: FileName("7.json")), "3.rejected.7.json"),
    (.init(id: 3, state: .cancelled, trigger: FileName("7.json")), "3.cancelled.7.json"),
    (.init(id: 4, state: .waiting, trigger: FileName("7.json")), "4.waiting.7.json"),
    (
      .init(id: ClaimName.idLimit, state: .attempt(3), trigger: FileName("1.1.x.json")),
      "9999999999999.3.1.1.x.json"
    ),
    (.init(id: 5, state: .attempt(1), trigger: FileName(bytes: [0xFF, 0x2E, 0x0A])), "5.1.\u{FFFD}.\n"),
  ]

  @Test("The name of a claim holds its id, state and trigger, and is read back unchanged", arguments: names)
  func roundTrip(_ name: ClaimName, _ text: String) throws {
    #expect(name.file.description == text)
    #expect(ClaimName(name.file) == name)
  }

  static let others: [String] = [
    "", "1", "1.1", "1.1.", ".1.x", "1..x", "x.1.x.json", "1.x.x.json", "0.1.x.json", "-1.1.x.json",
    "1.0.x.json",
    "1.-1.x.json", "+5.1.x.json", "05.1.x.json", "5.+1.x.json", "5.01.x.json", "1.Expired.x.json",
    "1.done.x.json", "1.stop-.x.json", "1.stop-0.x.json", "1.stop-01.x.json", "1.stop--1.x.json",
    "1.stop1.x.json",
    "10000000000000.1.x.json", "99999999999999999999.1.x.json", "1.99999999999999999999.x.json",
    " 1.1.x.json", ".foreign-x",
  ]

  @Test("A name that does not belong to a claim is refused", arguments: others)
  func refused(_ text: String) { #expect(ClaimName(FileName(text)) == nil) }

  @Test("The name of a claim is not too long, and holds the longest name of a trigger that can run")
  func longest() throws {
    let trigger = FileName(bytes: [UInt8](repeating: 0xFF, count: TriggerName.lengthLimit))
    let name = ClaimName(id: ClaimName.idLimit, state: .cancelled, trigger: trigger)
    #expect(name.file.bytes.count == 255)
    #expect(ClaimName(name.file) == name)
  }

  @Test("The name of a claim cuts the name of a trigger that is too long, and still identifies its record")
  func cut() throws {
    let trigger = FileName(bytes: [UInt8](repeating: 0x61, count: 250) + Array(".json".utf8))
    let file = ClaimName(id: 7, state: .rejected, trigger: trigger).file
    #expect(file.bytes.count == 255)
    let read = try #require(ClaimName(file))
    #expect(read.trigger.bytes == Array(trigger.bytes.prefix(244)))
    #expect(read.isOf(id: 7, trigger: trigger))
    #expect(!read.isOf(id: 8, trigger: trigger))
    #expect(!read.isOf(id: 7, trigger: FileName("b.json")))
  }
}
