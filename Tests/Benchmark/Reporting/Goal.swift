/// A limit for a ratio, or for a value itself.
struct Goal: Codable, Equatable {
  enum Bound: String, Codable {
    case atLeast = "at least"
    case atMost = "at most"
  }

  enum Subject: String, Codable {
    /// The measured value divided by the value of the reference.
    case ratio
    case value
  }

  let subject: Subject
  let bound: Bound
  let limit: Double

  static func ratio(_ bound: Bound, _ limit: Double) -> Goal {
    Goal(subject: .ratio, bound: bound, limit: limit)
  }

  static func value(_ bound: Bound, _ limit: Double) -> Goal {
    Goal(subject: .value, bound: bound, limit: limit)
  }

  func isMet(by number: Double) -> Bool {
    switch bound {
    case .atLeast: number >= limit
    case .atMost: number <= limit
    }
  }
}
