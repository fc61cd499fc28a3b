import Batch
import Channels
import Posix
import Spool
import Text

struct TriggerCommand: Command {
  static let name = "trigger"
  static let help = CommandHelp(
    summary: "ask for a channel to be downloaded now",
    discussion: """
      Writes a trigger durably. If no run is active, carries it out at once ("completed"); otherwise answers
      "queued" with its position: the active run carries it out after its scheduled channels. CHANNEL is an id or
      a name. --wait is about a queued trigger: one that is carried out at once takes as long as its job does.
      """,
    example: "bobbin trigger cats --wait --json")
  static let options = [
    CommandOption("user", .required("NAME"), help: "who asks, for the history (default $USER)"),
    CommandOption("queue", help: "only write the trigger, run nothing"),
    CommandOption(
      "wait", .optionalDuration, help: "when queued, wait until it is done, at most D (default 1h)"),
  ]
  static let operands = Operands.one("CHANNEL")
  static let needs: Set<CommandNeed> = [.signals, .makesSpool, .writesSpool]

  private let channel: String
  private let options: SubmissionOptions
  private let isJSON: Bool
  private let isQuiet: Bool

  init(_ arguments: Arguments) throws {
    channel = arguments.operands[0]
    var options = SubmissionOptions()
    options.user = try Self.user(arguments)
    options.isQueueOnly = arguments.has("queue")
    if arguments.has("wait") { options.wait = try arguments.duration("wait") ?? .seconds(3_600) }
    self.options = options
    isJSON = arguments.isJSON
    isQuiet = arguments.isQuiet
  }

  private static func user(_ arguments: Arguments) throws -> String? {
    // The environment is not the user's doing, so an unusable name in it is ignored rather than refused.
    guard let user = arguments.value("user") else {
      return CurrentProcess.environment("USER").flatMap { TriggerRequest.isUserName($0) ? $0 : nil }
    }
    guard TriggerRequest.isUserName(user) else {
      throw CommandFailure(.usage, "--user takes a name of at most 1024 bytes without control characters")
    }
    return user
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let instance = try environment.instance()
    let channel = try resolve(instance)
    let answered = Monitor<TriggerAnswer?>(nil)
    let result = try instance.trigger(channel, options) { answer in
      answered.withLock { $0 = answer }
      print(answer)
    }
    if case .faulty(let trigger, let reason) = result {
      throw CommandFailure(
        .inputOutput, "no run can carry this out; the trigger \(trigger) stays pending: \(reason)")
    }
    guard let answer = answered.withLock({ $0 }) else { return .inputOutput }
    if answer.success == false { return .failed }
    return status(result, answer, instance.log)
  }

  private func resolve(_ instance: Instance) throws -> Channel {
    switch instance.triage(asOf: nil).resolve([ChannelReference(text: channel)]) {
    case .found(let found): return found
    case .disabled(_, let reason): throw CommandFailure(.notFound, reason)
    case .unknown(let reason):
      let names = instance.configuration.channels.map(\.name)
      let suggestion = spellingSuggestion(for: channel, among: names).map { "; did you mean \"\($0)\"?" }
      throw CommandFailure(.notFound, reason + (suggestion ?? ""))
    }
  }

  private func status(_ result: WaitResult, _ answer: TriggerAnswer, _ log: Log) -> ExitStatus {
    let state = answer.isPending ? "the trigger is still pending" : "a run has claimed the trigger"
    let trigger = answer.trigger.description
    switch result {
    case .answered, .faulty: return .done
    case .ranOut:
      log.warning("the wait timed out; \(state)", ["trigger": trigger, "after": options.wait?.brief])
      return .timedOut
    case .stopped:
      log.warning("stopped waiting; \(state)", ["trigger": trigger])
      // The exit status of the program comes from the signal.
      return .done
    case .unreadable:
      log.warning(
        "not waiting any longer; \(state), and its result cannot be read by this user", ["trigger": trigger])
      return .permission
    }
  }

  private func print(_ answer: TriggerAnswer) {
    if isJSON { return Output.print(.object(answer.fields)) }
    if isQuiet { return }
    var text = ""
    if answer.status == .completed || answer.isPending {
      text = answer.status.rawValue + (answer.position.map { " at position \($0)" } ?? "") + ": "
    }
    if let message = answer.message { text += message }
    if let error = answer.errorMessage { text += " \(error.printable)" }
    if let id = answer.historyID { text += " (id \(id); bobbin log \(id) shows what was written)" }
    Output.print(text)
  }
}
