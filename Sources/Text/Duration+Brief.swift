extension Duration {
  /// The duration for people: `850ms`, `12s`, `31m4s`, `30m`, `2h`, `3d4h`. It has the two largest units; the smaller
  /// unit is left out when it is zero.
  package var brief: String {
    let milliseconds = wholeNanoseconds / 1_000_000
    if milliseconds < 0 { return "-" + (.zero - self).brief }
    if milliseconds < 1_000 { return "\(milliseconds)ms" }
    let seconds = milliseconds / 1_000
    func text(_ whole: Int64, _ unit: String, _ rest: Int64, _ restUnit: String) -> String {
      "\(whole)\(unit)" + (rest == 0 ? "" : "\(rest)\(restUnit)")
    }
    return switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3_600: text(seconds / 60, "m", seconds % 60, "s")
    case ..<172_800: text(seconds / 3_600, "h", seconds / 60 % 60, "m")
    default: text(seconds / 86_400, "d", seconds / 3_600 % 24, "h")
    }
  }
}
