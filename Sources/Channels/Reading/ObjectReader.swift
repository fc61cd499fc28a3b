import Text

/// One object of the configuration, read key by key.
///
/// Every method that reads a key returns nil both when the key is missing and when its value was refused; a refusal has
/// then been reported. Keys that have not been read when `finish` is called are unknown.
final class ObjectReader {
  let path: ValuePath
  let faults: Diagnostics
  private let members: [String: JSON5Value]
  private var known: [String] = []

  /// Returns nil and reports a fault when `value` is not an object.
  init?(_ value: JSON5Value, at path: ValuePath, faults: Diagnostics) {
    guard case .object(let members) = value else {
      faults.add(path, "expected an object in braces, found \(value.kind)")
      return nil
    }
    self.path = path
    self.faults = faults
    self.members = members
  }

  /// The keys of the object, in alphabetical order.
  var keys: [String] { members.keys.sorted() }

  /// The value as it is, unchecked.
  func value(_ key: String) -> JSON5Value? {
    if !known.contains(key) { known.append(key) }
    return members[key]
  }

  func refuse(_ key: String, _ message: String, suggestion: String? = nil) {
    faults.add(path.appending(key), message, suggestion: suggestion)
  }

  func section(_ key: String) -> ObjectReader? {
    value(key).flatMap { ObjectReader($0, at: path.appending(key), faults: faults) }
  }

  func array(_ key: String, example: String) -> [JSON5Value]? {
    guard let value = value(key) else { return nil }
    guard case .array(let elements) = value else {
      refuse(key, "expected an array, found \(value.kind)", suggestion: "for example \(example)")
      return nil
    }
    return elements
  }

  /// A text without control characters and without the marks that reorder text.
  func string(_ key: String, example: String) -> String? {
    guard let value = value(key) else { return nil }
    guard case .string(let text) = value else {
      let suggestion =
        if case .integer(let number) = value { "write \"\(number)\"" } else { "for example \(example)" }
      refuse(key, "expected text in quotes, found \(value.kind)", suggestion: suggestion)
      return nil
    }
    guard !text.unicodeScalars.contains(where: \.isUnsafeForTerminal) else {
      refuse(key, "control character in \(text.quoted())", suggestion: "for example \(example)")
      return nil
    }
    return text
  }

  /// A whole number from 1 to 2^53, the limit up to which every JSON reader is exact.
  func positive(_ key: String, example: Int) -> Int? {
    guard let value = value(key) else { return nil }
    switch value {
    case .integer(let number) where (1...(1 << 53)).contains(number):
      return number
    case .integer(let number):
      let bound = number < 1 ? "1 or more" : "at most 2^53"
      refuse(key, "\(number) is out of range; it must be \(bound)", suggestion: "for example \(example)")
    case .string(let text) where Int(text).map { $0 > 0 } ?? false:
      refuse(key, "expected a whole number, found \(value.kind)", suggestion: "write \(text), without quotes")
    default:
      refuse(key, "expected a whole number, found \(value.kind)", suggestion: "for example \(example)")
    }
    return nil
  }

  func bool(_ key: String) -> Bool? {
    guard let value = value(key) else { return nil }
    guard case .bool(let flag) = value else {
      refuse(
        key, "expected true or false, found \(value.kind)", suggestion: "write true or false, without quotes")
      return nil
    }
    return flag
  }

  /// - Parameter zero: whether 0 is allowed.
  func duration(_ key: String, example: String, zero: Bool = true) -> Duration? {
    guard let value = value(key) else { return nil }
    switch value {
    case .string(let text):
      do throws(DurationTextError) {
        let duration = try Duration(shortText: text)
        if zero || duration > .zero { return duration }
        refuse(key, "must be longer than 0", suggestion: "for example \"\(example)\"")
      } catch {
        refuse(key, error.reason, suggestion: error.suggestion)
      }
    case .integer(0) where zero:
      return .zero
    case .integer(0):
      refuse(key, "must be longer than 0", suggestion: "for example \"\(example)\"")
    case .integer(let number) where number > 0:
      refuse(key, "\(number) has no unit", suggestion: "write \"\(number)s\", with the unit")
    default:
      refuse(key, "expected a duration, found \(value.kind)", suggestion: "for example \"\(example)\"")
    }
    return nil
  }

  /// A umask as umask(1) shows it: three or four octal digits.
  func umask(_ key: String) -> UInt32? {
    guard let value = value(key) else { return nil }
    let suggestion = "write three or four octal digits in quotes, for example \"022\""
    guard case .string(let text) = value else {
      refuse(key, "expected text in quotes, found \(value.kind)", suggestion: suggestion)
      return nil
    }
    let digits = text.utf8
    guard (3...4).contains(digits.count), text.isASCIIDigits, let mask = UInt32(text, radix: 8), mask <= 0o777
    else {
      refuse(key, "\(text.quoted()) is not a umask", suggestion: suggestion)
      return nil
    }
    return mask
  }

  /// Reports every key that was not read.
  ///
  /// - Parameter elsewhere: where keys of other sections belong, for a key that is in the wrong section.
  func finish(elsewhere: [String: String] = [:]) {
    for key in keys where !known.contains(key) {
      let suggestion =
        if let path = elsewhere[key] {
          "it belongs \(path)"
        } else if let candidate = spellingSuggestion(for: key, among: known) {
          "did you mean \(candidate.quoted())?"
        } else {
          "valid here: \(known.joined(separator: ", "))"
        }
      refuse(key, "unknown key", suggestion: suggestion)
    }
  }
}
