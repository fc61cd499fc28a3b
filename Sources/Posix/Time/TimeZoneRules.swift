/// What clocks on the wall show in a time zone, read from the machine's zone files.
///
/// They are read here and not by the C library: `localtime_r(3)` knows one zone for the whole process, and a program
/// without libraries should not depend on one for this. The format is that of RFC 9636 (TZif).
package struct TimeZoneRules: Sendable, Equatable {
  /// What the zone was asked for by: `Europe/Berlin`, or the path of a file.
  package let name: String

  /// The moments at which the offset changes, in seconds since 1970, ascending, each with the offset from then on.
  private let changes: [Change]
  /// Seconds east of UTC before the first change.
  private let first: Int
  /// What is true after the last change.
  private let rest: PosixTimeZone?

  private struct Change: Equatable {
    let time: Int64
    let offset: Int
  }

  package static let utc = TimeZoneRules(name: "UTC", changes: [], first: 0, rest: nil)

  private init(name: String, changes: [Change], first: Int, rest: PosixTimeZone?) {
    self.name = name
    self.changes = changes
    self.first = first
    self.rest = rest
  }

  /// Reads the content of a zone file.
  ///
  /// - Returns: nil for anything else.
  package init?(name: String, file bytes: [UInt8]) {
    guard let old = TZifReader(bytes, at: 0, timeSize: 4) else { return nil }
    // From version 2 on, the same follows with times of 64 bits.
    guard old.version >= UInt8(ascii: "2") else {
      self.init(name: name, reader: old, rest: nil)
      return
    }
    guard let new = TZifReader(bytes, at: old.end, timeSize: 8) else { return nil }
    let footer = bytes[new.end...].dropFirst().prefix { $0 != UInt8(ascii: "\n") }
    self.init(name: name, reader: new, rest: PosixTimeZone(String(decoding: footer, as: UTF8.self)))
  }

  private init?(name: String, reader: TZifReader, rest: PosixTimeZone?) {
    guard let offsets = reader.offsets, let first = offsets.first else { return nil }
    var changes: [Change] = []
    for index in 0..<reader.changeCount {
      let (time, type) = reader.change(index)
      guard type < offsets.count, changes.last.map({ $0.time < time }) ?? true else { return nil }
      changes.append(Change(time: time, offset: offsets[type]))
    }
    self.init(name: name, changes: changes, first: first, rest: rest)
  }

  /// Seconds east of UTC at a time, which is given in seconds since 1970.
  package func offset(at seconds: Int64) -> Int {
    guard let last = changes.last else { return rest?.offset(at: seconds) ?? first }
    if seconds >= last.time { return rest?.offset(at: seconds) ?? last.offset }
    // The number of changes that are not after it.
    var (low, high) = (0, changes.count)
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].time <= seconds { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? first : changes[low - 1].offset
  }

  // MARK: The machine's zones

  /// Where the zones are.
  private static var folders: [String] {
    (CurrentProcess.environment("TZDIR").map { [$0] } ?? [])
      + ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"]
  }

  /// No zone file is nearly as large.
  private static let sizeLimit = 1 << 20

  /// A zone by its name in the machine's zone folder, for example `Europe/Berlin`. `UTC` is known without a file.
  ///
  /// - Returns: nil when the machine does not have the zone, or may not read it.
  package init?(named name: String) {
    let steps = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !steps.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else { return nil }
    for folder in Self.folders {
      if let zone = Self.read("\(folder)/\(name)", name: name) {
        self = zone
        return
      }
    }
    guard name == "UTC" else { return nil }
    self = .utc
  }

  /// The zone of this machine, or of this process: the variable TZ, which cron and systemd may set, else
  /// `/etc/localtime`, else UTC. See tzset(3).
  package static func ofMachine() -> TimeZoneRules {
    guard let variable = CurrentProcess.environment("TZ") else {
      return read("/etc/localtime", name: "/etc/localtime") ?? .utc
    }
    let name = String(variable.hasPrefix(":") ? variable.dropFirst() : variable[...])
    if name.hasPrefix("/") { return read(name, name: name) ?? .utc }
    if let zone = TimeZoneRules(named: name) { return zone }
    return TimeZoneRules(name: name, changes: [], first: 0, rest: PosixTimeZone(name))
  }

  private static func read(_ path: String, name: String) -> TimeZoneRules? {
    guard (try? PathQueries.targetStatus(path))?.kind == .regular,
      let bytes = try? PathQueries.read(path, limit: sizeLimit)
    else { return nil }
    return TimeZoneRules(name: name, file: bytes)
  }

  /// The names of the zones that people use, for suggestions; empty where the machine does not list them.
  package static func names() -> [String] {
    for folder in folders {
      for list in ["tzdata.zi", "zone1970.tab", "zone.tab"] {
        guard let bytes = try? PathQueries.read("\(folder)/\(list)", limit: sizeLimit) else { continue }
        let names = bytes.split(separator: UInt8(ascii: "\n")).compactMap { Self.name(inLine: $0, of: list) }
        if !names.isEmpty { return names + ["UTC"] }
      }
    }
    return []
  }

  /// `Z Europe/Berlin …` and `L Europe/Berlin Europe/Oslo` in tzdata.zi; code, place and zone in the tables.
  private static func name(inLine line: ArraySlice<UInt8>, of list: String) -> String? {
    let isTable = list.hasSuffix(".tab")
    let parts = line.split(separator: UInt8(ascii: isTable ? "\t" : " "))
    guard parts.count >= 3, line.first != UInt8(ascii: "#") else { return nil }
    if isTable { return String(decoding: parts[2], as: UTF8.self) }
    switch parts[0] {
    case [UInt8(ascii: "Z")]: return String(decoding: parts[1], as: UTF8.self)
    case [UInt8(ascii: "L")]: return String(decoding: parts[2], as: UTF8.self)
    default: return nil
    }
  }
}
