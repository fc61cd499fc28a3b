import Batch
import Channels
import History
import Posix
import Spool
import Text

struct HistoryCommand: Command {
  static let name = "history"
  static let help = CommandHelp(
    summary: "list what was done, newest last",
    discussion:
      "One record for each job, each trigger that was retired, and each run. ID is what bobbin log takes.",
    example: "bobbin history --channel cats --limit 5")
  static let options = [
    CommandOption("limit", .required("N"), help: "only the last N records (default 20; 0: all)"),
    CommandOption("channel", .required("C"), help: "only this channel, by id or name"),
    CommandOption("trigger", .required("NAME"), help: "only the trigger with this file name"),
  ]

  private let limit: Int
  private let channel: ChannelReference?
  private let trigger: FileName?
  private let isJSON: Bool
  private let isQuiet: Bool

  init(_ arguments: Arguments) throws {
    let text = arguments.value("limit") ?? "20"
    guard let number = Int(text), number >= 0 else {
      throw CommandFailure(.usage, "--limit takes a number of records, 0 for all, not '\(text)'")
    }
    limit = number
    channel = arguments.value("channel").map { ChannelReference(text: $0) }
    trigger = arguments.value("trigger").map { FileName($0) }
    isJSON = arguments.isJSON
    isQuiet = arguments.isQuiet
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let instance = try environment.instance()
    var isChannelKnown = channel.map { isConfigured($0, instance) } ?? true
    var found: [(line: [UInt8], record: HistoryRecord)] = []
    // A history that was copied (copytruncate) may have a record twice.
    var seen: Set<[UInt8]> = []
    // From the end, so that the last few of a long history cost little.
    try HistoryReader.forEachLineNewestFirst(in: instance.spool.root) { line in
      guard let record = HistoryReader.record(line) else { return true }
      if let channel, !matches(record, channel) { return true }
      isChannelKnown = true
      if let trigger, record.trigger != trigger { return true }
      let line = Array(line)
      if seen.insert(line).inserted { found.append((line, record)) }
      return limit == 0 || found.count < limit
    }
    if let channel, !isChannelKnown { warnUnknown(channel, instance) }
    if isJSON {
      for (line, _) in found.reversed() { try Output.stream(line + [UInt8(ascii: "\n")]) }
      return .done
    }
    if found.isEmpty, !isQuiet { Output.print("no records") }
    Output.printTable(
      ["ID", "FINISHED", "KIND", "CHANNEL", "OUTCOME", "VIDEOS", "DURATION", "TRIGGER", "ERROR"],
      found.reversed().map { row($0.record) })
    return .done
  }

  private func isConfigured(_ channel: ChannelReference, _ instance: Instance) -> Bool {
    if case .unknown = instance.triage(asOf: nil).resolve([channel]) { false } else { true }
  }

  private func warnUnknown(_ channel: ChannelReference, _ instance: Instance) {
    var suggestion = ""
    if case .name(let name) = channel,
      let near = spellingSuggestion(for: name, among: instance.configuration.channels.map(\.name))
    {
      suggestion = "; did you mean \"\(near)\"?"
    }
    instance.log.warning("no channel \(channel) is configured or in the history\(suggestion)")
  }

  private func matches(_ record: HistoryRecord, _ channel: ChannelReference) -> Bool {
    switch channel {
    case .id(let id): record.channelID == id
    case .name(let name): record.channel == name
    }
  }

  /// What the last column says: what went wrong, and how much did that was of no consequence.
  private func remarks(_ record: HistoryRecord) -> String {
    let warnings =
      switch record.warnings {
      case 0: String?.none
      case 1: "1 warning"
      case let count: "\(count) warnings"
      }
    return [record.errorMessage, warnings].compactMap(\.self).joined(separator: "; ")
  }

  private func row(_ record: HistoryRecord) -> [String] {
    [
      String(record.id), record.finishedAt.rfc3339(), record.kind.rawValue, record.channel ?? "-",
      record.outcome.rawValue, record.videosDownloaded.map { String($0) } ?? "-",
      record.duration?.brief ?? "-", record.trigger?.description ?? "-", remarks(record),
    ]
  }
}
