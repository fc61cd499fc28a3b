/// The unit of a figure, and how the figure is written for people.
enum Unit: String, Codable {
  case seconds = "s"
  case perSecond = "1/s"
  case bytes
  case calls

  func text(_ value: Double) -> String {
    switch self {
    case .seconds:
      switch value {
      case 1...: "\(fixed(value, 2)) s"
      case 0.001...: "\(fixed(value * 1e3, value < 0.1 ? 2 : 0)) ms"
      default: "\(fixed(value * 1e6, value < 1e-5 ? 2 : 1)) µs"
      }
    case .perSecond: "\(fixed(value, 0)) /s"
    case .bytes: "\(fixed(value / 1e6, 1)) MB"
    case .calls: fixed(value, 2)
    }
  }
}

/// A number with `decimals` decimal places, and commas between groups of thousands.
func fixed(_ value: Double, _ decimals: Int) -> String {
  guard value.isFinite, abs(value) < 1e15 else { return "?" }
  var factor = 1
  for _ in 0..<decimals { factor *= 10 }
  let scaled = Int((abs(value) * Double(factor)).rounded())
  var whole = String(scaled / factor)
  var grouped = ""
  while whole.count > 3 {
    grouped = ",\(whole.suffix(3))\(grouped)"
    whole.removeLast(3)
  }
  let fraction = String(scaled % factor)
  let sign = value < 0 && scaled != 0 ? "-" : ""
  let tail = decimals == 0 ? "" : ".\(String(repeating: "0", count: decimals - fraction.count))\(fraction)"
  return "\(sign)\(whole)\(grouped)\(tail)"
}
