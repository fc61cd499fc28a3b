import Testing

/// A schedule, a zone, a time, and the next moments after it.
struct ScheduleCase: Sendable, CustomTestStringConvertible {
  let schedule: String
  let zone: String
  let after: String
  let moments: [String]
  var testDescription: String { "\(schedule) in \(zone) after \(after)" }

  init(_ schedule: String, _ zone: String, _ after: String, _ moments: String...) {
    (self.schedule, self.zone, self.after, self.moments) = (schedule, zone, after, moments)
  }
}
