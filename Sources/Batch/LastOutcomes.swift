package import Channels

/// The last run and the last job of every configured channel, looked for from the end of the history.
package struct LastOutcomes {
  /// How many records are looked at for the sake of disabled channels alone: one that never ran must not make every
  /// look read the whole history.
  package static let reach = 10_000

  package private(set) var run: HistoryRecord?
  package private(set) var jobs: [Int64: HistoryRecord] = [:]
  /// Channels without a job so far.
  private var missing: (enabled: Set<Int64>, disabled: Set<Int64>)
  private var looked = 0

  package init(of channels: [Channel]) {
    func ids(_ isEnabled: Bool) -> Set<Int64> {
      Set(channels.filter { $0.enabled == isEnabled }.map { Int64($0.id) })
    }
    missing = (ids(true), ids(false))
  }

  /// Takes the next line, newest first.
  ///
  /// - Returns: whether more lines are wanted.
  package mutating func take(_ line: ArraySlice<UInt8>) -> Bool {
    looked += 1
    if let record = HistoryReader.record(line) {
      if record.kind == .run {
        run = run ?? record
      } else if let channel = record.channelID, record.startedAt != nil {
        let isWanted = missing.enabled.remove(channel) != nil || missing.disabled.remove(channel) != nil
        if isWanted { jobs[channel] = record }
      }
    }
    if run == nil || !missing.enabled.isEmpty { return true }
    return !missing.disabled.isEmpty && looked < Self.reach
  }
}
