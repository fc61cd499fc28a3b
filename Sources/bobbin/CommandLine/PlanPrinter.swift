import Batch
import Posix
import Text

/// Prints what a run would do, one line per step. Lines are gathered: a spool may hold a million triggers, and a system
/// call for each line would take most of the time.
struct PlanPrinter {
  private static let bufferLimit = 1 << 16

  private let isJSON: Bool
  private var text: [UInt8] = []
  private var isEmpty = true

  init(isJSON: Bool) { self.isJSON = isJSON }

  mutating func add(_ step: PlannedStep) throws(SystemError) {
    isEmpty = false
    if isJSON {
      step.json.write(to: &text)
      text.append(UInt8(ascii: "\n"))
    } else {
      step.appendText(to: &text)
    }
    if text.count > Self.bufferLimit { try flush() }
  }

  mutating func finish() throws(SystemError) {
    if isEmpty, !isJSON { text += "nothing to do\n".utf8 }
    try flush()
  }

  private mutating func flush() throws(SystemError) {
    try Output.stream(text)
    text.removeAll(keepingCapacity: true)
  }
}
