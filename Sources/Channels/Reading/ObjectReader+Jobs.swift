import Posix
import Text

/// The kinds of values that only the settings of jobs have.
extension ObjectReader {
  /// Regular expressions; every bad one is reported.
  func patterns(_ key: String) -> [Pattern]? {
    let example = #"["HTTP Error 5..", "timed out"]"#
    return array(key, example: example)?.enumerated().compactMap { index, element in
      pattern(element, at: path.appending(key).appending(index), example: example)
    }
  }

  /// A regular expression.
  func pattern(_ key: String, example: String) -> Pattern? {
    value(key).flatMap { pattern($0, at: path.appending(key), example: example) }
  }

  /// Whether the value is a text without any character.
  func isEmptyText(_ key: String) -> Bool { if case .string("")? = value(key) { true } else { false } }

  private func pattern(_ value: JSON5Value, at path: ValuePath, example: String) -> Pattern? {
    guard case .string(let source) = value else {
      faults.add(path, "expected text in quotes, found \(value.kind)", suggestion: "for example \(example)")
      return nil
    }
    guard !source.isEmpty else {
      faults.add(path, "an empty pattern matches every line", suggestion: "remove it")
      return nil
    }
    do throws(PatternError) {
      return try Pattern(source)
    } catch {
      faults.add(
        path, "\(source.quoted()) is \(error)",
        suggestion:
          #"it must be an extended regular expression, in which a literal ( or [ is written \\( or \\["#)
      return nil
    }
  }

  /// The name of a signal that asks a program to end, with or without `SIG`.
  func stopSignal(_ key: String) -> Int32? {
    guard let name = string(key, example: "\"TERM\"") else { return nil }
    if let signal = Signals.endingByName[name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name] {
      return signal
    }
    let names = Signals.endingByName.keys.sorted().joined(separator: ", ")
    refuse(key, "\(name.quoted()) cannot ask a job to end", suggestion: "it must be one of \(names)")
    return nil
  }

  /// Environment variables; every bad one is reported.
  func environment(_ key: String) -> [String: String]? {
    guard let section = section(key) else { return nil }
    var variables: [String: String] = [:]
    for name in section.keys {
      guard let value = section.value(name) else { continue }
      if let fault = Self.fault(ofVariable: name) {
        section.refuse(name, fault.message, suggestion: fault.suggestion)
      } else if case .string(let text) = value {
        variables[name] = text
      } else {
        let suggestion =
          if case .integer(let number) = value { "write \"\(number)\"" } else { "for example \"C.UTF-8\"" }
        section.refuse(name, "expected text in quotes, found \(value.kind)", suggestion: suggestion)
      }
    }
    return variables
  }

  /// Why the configuration cannot set a variable of this name.
  private static func fault(ofVariable name: String) -> (message: String, suggestion: String)? {
    if name.hasPrefix("BOBBIN_") {
      return ("the names that begin with BOBBIN_ are Bobbin's own", "choose another name")
    }
    let isPlain = name.utf8.allSatisfy { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
        || byte == UInt8(ascii: "_")
    }
    if isPlain, let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first) { return nil }
    return (
      "\(name.quoted()) is not the name of a variable",
      "use letters, digits and _, and begin with a letter or _"
    )
  }

  /// Exit statuses: at least one number from 0 to 255. Every bad one is reported.
  func exitStatuses(_ key: String) -> [Int32]? {
    let example = "[0, 101]"
    guard let elements = array(key, example: example) else { return nil }
    guard !elements.isEmpty else {
      refuse(key, "without an exit status no job could succeed", suggestion: "for example \(example)")
      return nil
    }
    return elements.enumerated().compactMap { index, element in
      let inside = path.appending(key).appending(index)
      switch element {
      case .integer(let number) where (0...255).contains(number): return Int32(number)
      case .integer(let number):
        faults.add(inside, "\(number) is not an exit status", suggestion: "it must be from 0 to 255")
      case .string(let text) where Int(text) != nil:
        faults.add(
          inside, "expected a whole number, found \(element.kind)",
          suggestion: "write \(text), without quotes")
      default:
        faults.add(
          inside, "expected a whole number, found \(element.kind)", suggestion: "for example \(example)")
      }
      return nil
    }
  }
}
