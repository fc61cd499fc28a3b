import Foundation
import Posix
import TestSupport
import Testing

@Suite("Time zones", .alone)
struct TimeZoneRulesTests {
  static let names = [
    "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe",
    "Asia/Kathmandu", "Asia/Beirut", "Africa/Casablanca", "Pacific/Apia", "America/Nuuk", "Etc/GMT+5", "UTC",
  ]

  /// Every 25 hours and some from 1975 to 2060: past the last change that a zone file lists one by one.
  @Test("The clocks of a zone show what another reader of the zone files says they show", arguments: names)
  func offsets(_ name: String) throws {
    let zone = try #require(TimeZoneRules(named: name))
    #expect(zone.name == name)
    let other = try #require(TimeZone(identifier: name))
    var wrong: [Int64] = []
    for seconds in stride(from: Int64(157_766_400), to: 2_840_140_800, by: 90_061) {
      let date = Date(timeIntervalSince1970: TimeInterval(seconds))
      if zone.offset(at: seconds) != other.secondsFromGMT(for: date) { wrong.append(seconds) }
    }
    #expect(wrong.isEmpty, "\(wrong.count), the first is \(wrong[0])")
  }

  @Test("A change of the clocks counts from its second on")
  func edges() throws {
    let zone = try #require(TimeZoneRules(named: "Europe/Berlin"))
    // 2026-03-29T01:00:00Z, and 2046-03-25T01:00:00Z, which follows from the rule at the end of the file.
    for change in [Int64(1_774_746_000), 2_405_552_400] {
      #expect(zone.offset(at: change - 1) == 3_600)
      #expect(zone.offset(at: change) == 7_200)
    }
  }

  @Test(
    "A name that leads out of the folder of zones, or to nothing, is not a zone",
    arguments: [
      "", "/etc/localtime", "../../../etc/localtime", "Europe/../UTC", "Europe", "Europe/Berln", "./UTC",
    ])
  func refusedNames(_ name: String) { #expect(TimeZoneRules(named: name) == nil) }

  @Test("A damaged zone file is refused, or read as far as it makes sense, but never stops the program")
  func damage() throws {
    let file = Array(try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/Europe/Berlin")))
    #expect(TimeZoneRules(name: "x", file: file)?.offset(at: 1_774_746_000) == 7_200)
    for length in 0..<file.count { _ = TimeZoneRules(name: "x", file: Array(file[..<length]))?.offset(at: 0) }
    for index in 0..<min(file.count, 1_400) {
      var damaged = file
      damaged[index] ^= 0xFF
      _ = TimeZoneRules(name: "x", file: damaged)?.offset(at: 1_774_746_000)
    }
    #expect(TimeZoneRules(name: "x", file: Array(file[..<100])) == nil)
  }

  @Test("A zone of the environment may be a name, a path, or a rule")
  func environment() throws {
    let berlin = try #require(TimeZoneRules(named: "Europe/Berlin"))
    let old = getenv("TZ").map { String(cString: $0) }
    defer { if let old { setenv("TZ", old, 1) } else { unsetenv("TZ") } }
    let summer: Int64 = 1_785_000_000
    for (value, offset) in [
      ("Europe/Berlin", 7_200), (":Europe/Berlin", 7_200), ("/usr/share/zoneinfo/Europe/Berlin", 7_200),
      ("CET-1CEST,M3.5.0,M10.5.0/3", 7_200), ("EST5EDT", -14_400), ("<+0545>-5:45", 20_700),
      ("EST5EDT,0/0,J365/25", -14_400), ("NZST-12NZDT,M9.5.0,M4.1.0/3", 43_200), ("nonsense", 0),
    ] {
      setenv("TZ", value, 1)
      #expect(TimeZoneRules.ofMachine().offset(at: summer) == offset, "\(value)")
    }
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1)
    let rule = TimeZoneRules.ofMachine()
    for seconds in stride(from: Int64(946_684_800), to: 2_840_140_800, by: 90_061)
    where rule.offset(at: seconds) != berlin.offset(at: seconds) {
      Issue.record("\(seconds)")
    }
  }

  @Test("The zones of the machine are known by name, for suggestions")
  func listed() {
    let names = TimeZoneRules.names()
    for name in ["Europe/Berlin", "America/New_York", "UTC"] { #expect(names.contains(name)) }
  }
}
