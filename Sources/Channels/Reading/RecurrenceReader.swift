import Posix
import Text

/// Reads `every`, `schedule` and `time_zone`: when a channel is due.
final class RecurrenceReader {
  /// `every` or `schedule`, as a section has it.
  enum Timing {
    case eachRun
    case every(Duration)
    case schedule(CronSchedule)
  }

  /// The zone of the top level; nil for the machine's.
  private let zone: TimeZoneRules?
  /// Read when the first schedule needs it.
  private lazy var machineZone = TimeZoneRules.ofMachine()

  init(_ top: ObjectReader) { zone = Self.zone(top) }

  /// What a section says; nil when it says nothing, or something that was refused.
  static func timing(_ section: ObjectReader) -> Timing? {
    let every = section.duration("every", example: "6h")
    let schedule = schedule(section)
    if section.value("every") != nil, section.value("schedule") != nil {
      section.refuse(
        "schedule", "given together with every", suggestion: "keep the one that says when the channel is due")
    }
    if let every { return every == .zero ? .eachRun : .every(every) }
    return schedule.map { .schedule($0) }
  }

  private static func schedule(_ section: ObjectReader) -> CronSchedule? {
    guard let text = section.string("schedule", example: "\"30 3 * * 1-5\"") else { return nil }
    do throws(CronSyntaxError) { return try CronSchedule(text) } catch {
      section.refuse("schedule", error.reason, suggestion: error.suggestion)
      return nil
    }
  }

  /// When the channel of a section is due: a schedule counts in the zone of the channel, of the top level, or of the
  /// machine.
  func recurrence(_ timing: Timing, _ section: ObjectReader) -> Recurrence {
    let own = Self.zone(section)
    switch timing {
    case .eachRun: return .eachRun
    case .every(let interval): return .every(interval)
    case .schedule(let schedule): return .schedule(schedule, own ?? zone ?? machineZone)
    }
  }

  private static func zone(_ section: ObjectReader) -> TimeZoneRules? {
    let example = "\"Europe/Berlin\""
    guard let name = section.string("time_zone", example: example) else { return nil }
    if let zone = TimeZoneRules(named: name) { return zone }
    let near = spellingSuggestion(for: name, among: TimeZoneRules.names())
    section.refuse(
      "time_zone", "this machine has no time zone \(name.quoted())",
      suggestion: near.map { "did you mean \($0.quoted())?" }
        ?? "for example \(example); if that is unknown as well, install tzdata")
    return nil
  }
}
