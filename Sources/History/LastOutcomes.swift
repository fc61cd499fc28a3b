/// The last run and the last job of every configured channel, found from the end of the history.
package struct LastOutcomes {
  /// How many records are read for enabled channels, and for disabled channels alone: a channel that never ran must not
  /// make each `status` read every rotated history.
  package static let depth = (enabled: 100_000, disabled: 10_000)

  package private(set) var run: HistoryRecord?
  package private(set) var jobs: [Int64: HistoryRecord] = [:]
  /// The channels for which a job has not been found yet.
  private var missing: (enabled: Set<Int64>, disabled: Set<Int64>)
  private var scanned = 0

  /// - Parameters:
  ///   - enabled: the ids of the enabled channels.
  ///   - disabled: the ids of the disabled channels.
  package init(enabled: some Sequence<Int64>, disabled: some Sequence<Int64>) {
    missing = (Set(enabled), Set(disabled))
  }

  /// Takes the next line, newest first.
  ///
  /// - Returns: whether more lines are wanted.
  package mutating func take(_ line: ArraySlice<UInt8>) -> Bool {
    scanned += 1
    if let record = HistoryReader.record(line) {
      if record.kind == .run {
        run = run ?? record
      } else if let channel = record.channelID, record.startedAt != nil {
        let isWanted = missing.enabled.remove(channel) != nil || missing.disabled.remove(channel) != nil
        if isWanted { jobs[channel] = record }
      }
    }
    if run == nil || !missing.enabled.isEmpty { return scanned < Self.depth.enabled }
    return !missing.disabled.isEmpty && scanned < Self.depth.disabled
  }
}
