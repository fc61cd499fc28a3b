import Batch
import Channels
import Posix
import Spool

struct HistoryCommand {
  private let arguments: Arguments
  private let batch: Instance

  init(_ arguments: Arguments, _ batch: Instance) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    var limit = 20
    if let text = arguments.value("limit") {
      guard let number = Int(text), number >= 0 else {
        throw CommandFailure(.usage, "--limit takes a number of records, 0 for all, not '\(text)'")
      }
      limit = number
    }
    let channel = arguments.value("channel").map { ChannelReference(text: $0) }
    let trigger = arguments.value("trigger").map { FileName($0) }
    // From the end, so that the last few of a long history cost little.
    var isChannelKnown = channel.map(isConfigured) ?? true
    var found: [(line: [UInt8], record: HistoryRecord)] = []
    try HistoryReader.forEachLineNewestFirst(in: batch.spool.root) { line in
      guard let record = HistoryReader.record(line) else { return true }
      if let channel, !matches(record, channel) { return true }
      isChannelKnown = true
      if let trigger, record.trigger != trigger { return true }
      found.append((Array(line), record))
      return limit == 0 || found.count < limit
    }
    found.reverse()
    if let channel, !isChannelKnown { warnUnknown(channel) }
    if arguments.isJSON {
      for (line, _) in found { try Output.print(String(decoding: line, as: UTF8.self)) }
    } else {
      if found.isEmpty, !arguments.isQuiet { try Output.print("no records") }
      try Output.table(
        ["ID", "FINISHED", "KIND", "CHANNEL", "OUTCOME", "VIDEOS", "DURATION", "TRIGGER", "ERROR"],
        found.map { row($0.record) })
    }
    return .done
  }

  private func isConfigured(_ channel: ChannelReference) -> Bool {
    if case .unknown = batch.resolve([channel]) { return false }
    return true
  }

  private func warnUnknown(_ channel: ChannelReference) {
    var suggestion = ""
    if case .name(let name) = channel,
      let near = spellingSuggestion(for: name, among: batch.configuration.channels.map(\.name))
    {
      suggestion = "; did you mean \"\(near)\"?"
    }
    batch.log.warning("no channel \(channel) is configured or in the history\(suggestion)")
  }

  private func matches(_ record: HistoryRecord, _ channel: ChannelReference) -> Bool {
    switch channel {
    case .id(let id): record.channelID == id
    case .name(let name): record.channel == name
    }
  }

  private func row(_ record: HistoryRecord) -> [String] {
    [
      String(record.id), record.finishedAt.rfc3339(), record.kind.rawValue, record.channel ?? "-",
      record.outcome.rawValue, record.videosDownloaded.map { String($0) } ?? "-",
      record.duration?.brief ?? "-",
      record.trigger?.description ?? "-", record.errorMessage ?? "",
    ]
  }
}
