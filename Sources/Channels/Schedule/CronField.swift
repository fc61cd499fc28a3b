import Text

/// One of the five fields of a schedule: its values, and its words.
enum CronField: String, CaseIterable {
  case minute
  case hour
  case dayOfMonth = "day of the month"
  case month
  case dayOfWeek = "day of the week"

  /// The days of the week end with 7, which is Sunday as well as 0.
  var range: ClosedRange<Int> {
    switch self {
    case .minute: 0...59
    case .hour: 0...23
    case .dayOfMonth: 1...31
    case .month: 1...12
    case .dayOfWeek: 0...7
    }
  }

  /// The names of the values, from the first value on.
  private var names: [String] {
    switch self {
    case .minute, .hour, .dayOfMonth: []
    case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    }
  }

  /// What is allowed, for messages.
  private var allowed: String {
    let numbers = "\(range.lowerBound) to \(range.upperBound)"
    return names.isEmpty ? numbers : "\(numbers), or \(names[0]) to \(names[names.count - 1])"
  }

  /// The values that a field lists: numbers, names, ranges and `*`, the last two also with a step.
  func values(of text: Substring) throws(CronSyntaxError) -> Set<Int> {
    var values: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      values.formUnion(try self.values(ofPart: part, in: text))
    }
    return values
  }

  private func values(ofPart part: Substring, in field: Substring) throws(CronSyntaxError) -> Set<Int> {
    let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
    guard pieces.count <= 2, let body = pieces.first, !body.isEmpty else {
      throw fault(String(field), "is not a list of values")
    }
    var step = 1
    if pieces.count == 2 {
      guard let number = Self.number(pieces[1]), number > 0 else {
        throw fault(String(part), "has a step that is not a number from 1")
      }
      step = number
    }
    if body == "*" { return Set(stride(from: range.lowerBound, through: range.upperBound, by: step)) }
    let ends = body.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count <= 2 else { throw fault(String(part), "is not a range") }
    let first = try value(ends[0])
    guard ends.count == 2 else {
      if pieces.count == 1 { return [first] }
      throw CronSyntaxError(
        reason: "\(rawValue): \(String(part).quoted()) has a step without a range",
        suggestion: "write \("\(body)-\(range.upperBound)/\(step)".quoted())")
    }
    let last = try value(ends[1])
    guard first <= last else {
      let (name, number) = (ends[1].lowercased(), ends[0])
      throw CronSyntaxError(
        reason: "\(rawValue): \(String(part).quoted()) ends before it begins",
        suggestion: self == .dayOfWeek && (name == "sun" || name == "0")
          ? "Sunday is also 7: write \("\(number)-7".quoted())"
          : "write two ranges, for example \("\(body.prefix { $0 != "-" })-\(range.upperBound),\(range.lowerBound)-\(ends[1])".quoted())"
      )
    }
    return Set(stride(from: first, through: last, by: step))
  }

  private func value(_ text: Substring) throws(CronSyntaxError) -> Int {
    if let number = Self.number(text) {
      if range.contains(number) { return number }
      throw fault(String(text), "is out of range")
    }
    if let index = names.firstIndex(of: text.lowercased()) { return range.lowerBound + index }
    let known = names.first { text.count > 3 && text.lowercased().hasPrefix($0) }
    guard let known = known ?? spellingSuggestion(for: String(text), among: names) else {
      throw fault(String(text), "is not a value")
    }
    throw CronSyntaxError(
      reason: "\(rawValue): \(String(text).quoted()) is not a value",
      suggestion: "did you mean \(known.quoted())?")
  }

  private static func number(_ text: Substring) -> Int? {
    String(text).isASCIIDigits && text.utf8.count < 9 ? Int(text) : nil
  }

  private func fault(_ text: String, _ message: String) -> CronSyntaxError {
    CronSyntaxError(reason: "\(rawValue): \(text.quoted()) \(message)", suggestion: "allowed: \(allowed)")
  }
}
