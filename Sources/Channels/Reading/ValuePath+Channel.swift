import Text

extension ValuePath {
  /// The index, if this is a channel or something within one.
  var channel: Int? {
    guard steps.count >= 2, steps[0] == .key("channels"), case .index(let index) = steps[1] else {
      return nil
    }
    return index
  }

  /// `defaults.timeout`, `commands.ytdlp[3]`, `channels[1].timeout`, or `channels[1] "cats": timeout` when the
  /// channel's name is given: people know their channels by name, and counting entries is tedious.
  func text(channelName: String?) -> String {
    var text = ""
    for (position, step) in steps.enumerated() {
      switch step {
      case .key(let key):
        if position == 2, channel != nil, channelName != nil {
          text += ": "
        } else if position > 0 {
          text += "."
        }
        let isPlain = !key.isEmpty && key.allSatisfy { $0.isLetter || $0.isNumber || "_$-".contains($0) }
        text += isPlain ? key : key.quoted()
      case .index(let index):
        text += "[\(index)]"
        if position == 1, channel != nil, let channelName { text += " \(channelName.quoted())" }
      }
    }
    return text
  }
}
