import Batch
import Channels
import Posix
import Spool

struct TriggerCommand {
  private let arguments: Arguments
  private let batch: Batch

  init(_ arguments: Arguments, _ batch: Batch) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    let channel: Channel
    switch batch.resolve([ChannelReference(text: arguments.operands[0])]) {
    case .found(let found): channel = found
    case .disabled(_, let reason): throw CommandFailure(.notFound, reason)
    case .unknown(let reason):
      let suggestion = nearest(to: arguments.operands[0], among: batch.configuration.channels.map(\.name))
      throw CommandFailure(.notFound, reason + (suggestion.map { "; did you mean \"\($0)\"?" } ?? ""))
    }
    var options = TriggerRequestOptions()
    options.user = try user()
    options.isQueueOnly = arguments.has("queue")
    if arguments.has("wait") { options.wait = try arguments.duration("wait") ?? .seconds(3_600) }
    let given = Shared<TriggerAnswer?>(nil)
    let (isJSON, isQuiet) = (arguments.isJSON, arguments.isQuiet)
    let log = batch.log
    let isInTime = try batch.trigger(channel, options) { answer in
      given.access { $0 = answer }
      // The trigger is carried out or queued, whether the answer can be printed or not.
      do { try Self.print(answer, isJSON: isJSON, isQuiet: isQuiet) } catch {
        log.warning("answer not printed: \(error)")
      }
    }
    guard let answer = given.access({ $0 }) else { return .inputOutput }
    if answer.success == false { return .failed }
    if !isInTime {
      log.warning(
        "gave up waiting; the trigger is still pending",
        ["trigger": answer.trigger.description, "after": options.wait?.brief])
    }
    return isInTime ? .done : .timedOut
  }

  private func user() throws -> String? {
    guard let user = arguments.value("user") else { return CurrentProcess.environment("USER") }
    if user.isEmpty || user.utf8.count > 1024 || user.unicodeScalars.contains(where: \.disturbsTerminal) {
      throw CommandFailure(.usage, "--user takes a name of at most 1024 bytes without control characters")
    }
    return user
  }

  private static func print(_ answer: TriggerAnswer, isJSON: Bool, isQuiet: Bool) throws {
    if isJSON { return try Output.print(.object(answer.fields)) }
    if isQuiet { return }
    var text = answer.status.rawValue
    if let position = answer.position { text += " at position \(position)" }
    if let message = answer.message { text += ": \(message)" }
    if let error = answer.errorMessage { text += " \(error.printable)" }
    if let id = answer.historyID { text += " (id \(id); bobbin log \(id) shows what was written)" }
    try Output.print(text)
  }
}
