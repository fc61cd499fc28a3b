import Batch
import Channels
import Posix
import Spool

struct TriggerCommand {
  private let arguments: Arguments
  private let batch: Instance

  init(_ arguments: Arguments, _ batch: Instance) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    let channel: Channel
    switch batch.resolve([ChannelReference(text: arguments.operands[0])]) {
    case .found(let found): channel = found
    case .disabled(_, let reason): throw CommandFailure(.notFound, reason)
    case .unknown(let reason):
      let suggestion = spellingSuggestion(for: arguments.operands[0], among: batch.configuration.channels.map(\.name))
      throw CommandFailure(.notFound, reason + (suggestion.map { "; did you mean \"\($0)\"?" } ?? ""))
    }
    var options = SubmissionOptions()
    options.user = try user()
    options.isQueueOnly = arguments.has("queue")
    if arguments.has("wait") { options.wait = try arguments.duration("wait") ?? .seconds(3_600) }
    let given = Monitor<TriggerAnswer?>(nil)
    let (isJSON, isQuiet) = (arguments.isJSON, arguments.isQuiet)
    let log = batch.log
    let end = try batch.trigger(channel, options) { answer in
      given.withLock { $0 = answer }
      // The trigger is carried out or queued, whether the answer can be printed or not: see `Output`.
      try? Self.print(answer, isJSON: isJSON, isQuiet: isQuiet)
    }
    guard let answer = given.withLock({ $0 }) else { return .inputOutput }
    if answer.success == false { return .failed }
    let state = answer.isPending ? "the trigger is still pending" : "a run has taken the trigger up"
    let trigger = answer.trigger.description
    switch end {
    case .answered: return .done
    case .waitRanOut:
      log.warning("gave up waiting; \(state)", ["trigger": trigger, "after": options.wait?.brief])
      return .timedOut
    case .stopped:
      log.warning("stopped waiting; \(state)", ["trigger": trigger])
      return .timedOut
    case .unreadable:
      log.warning(
        "not waiting any longer; \(state), and its result cannot be read by this user", ["trigger": trigger])
      return .permission
    }
  }

  private func user() throws -> String? {
    // What stands in the environment is nobody's fault here, and no reason to refuse.
    guard let user = arguments.value("user") else {
      return CurrentProcess.environment("USER").flatMap { Self.isName($0) ? $0 : nil }
    }
    guard Self.isName(user) else {
      throw CommandFailure(.usage, "--user takes a name of at most 1024 bytes without control characters")
    }
    return user
  }

  /// Whether whoever reads the trigger will take it for a name.
  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 1024 && !text.unicodeScalars.contains(where: \.isUnsafeForTerminal)
  }

  private static func print(_ answer: TriggerAnswer, isJSON: Bool, isQuiet: Bool) throws {
    if isJSON { return try Output.print(.object(answer.fields)) }
    if isQuiet { return }
    var text = ""
    if answer.status == .completed || answer.isPending {
      text = answer.status.rawValue + (answer.position.map { " at position \($0)" } ?? "") + ": "
    }
    if let message = answer.message { text += message }
    if let error = answer.errorMessage { text += " \(error.printable)" }
    if let id = answer.historyID { text += " (id \(id); bobbin log \(id) shows what was written)" }
    try Output.print(text)
  }
}
