package import Text

/// What a run did, in numbers.
package struct RunStatistics: Sendable, Equatable {
  package struct Channels: Sendable, Equatable {
    package var total = 0
    package var succeeded = 0
    package var failed = 0
    package var skipped = 0
  }

  package struct Triggers: Sendable, Equatable {
    package var succeeded = 0
    package var failed = 0
    package var expired = 0
    package var rejected = 0
    /// Left pending: a job of an earlier run still holds the channel, or the file could not be moved.
    package var deferred = 0
  }

  package var channels = Channels()
  package var triggers = Triggers()
  package var videosDownloaded = 0
  /// How many things were wrong with jobs and triggers that did not keep them from ending as they did.
  package var warnings = 0
  /// How many torn last lines of the history were ended with a newline.
  package var historyMended = 0

  package init() {}

  package static func + (left: RunStatistics, right: RunStatistics) -> RunStatistics {
    var sum = left
    sum.channels.total += right.channels.total
    sum.channels.succeeded += right.channels.succeeded
    sum.channels.failed += right.channels.failed
    sum.channels.skipped += right.channels.skipped
    sum.triggers.succeeded += right.triggers.succeeded
    sum.triggers.failed += right.triggers.failed
    sum.triggers.expired += right.triggers.expired
    sum.triggers.rejected += right.triggers.rejected
    // Later holdings of the lock by one command skip what an earlier holding deferred, so nothing is counted twice.
    sum.triggers.deferred += right.triggers.deferred
    sum.videosDownloaded += right.videosDownloaded
    sum.warnings += right.warnings
    sum.historyMended += right.historyMended
    return sum
  }

  /// The counts as they are in the record of a run and in the summary of `run --json`.
  package var counts: [(name: String, value: JSONValue)] {
    [
      (
        "channels",
        .object([
          ("total", .integer(channels.total)), ("succeeded", .integer(channels.succeeded)),
          ("failed", .integer(channels.failed)), ("skipped", .integer(channels.skipped)),
        ])
      ),
      (
        "triggers",
        .object([
          ("succeeded", .integer(triggers.succeeded)), ("failed", .integer(triggers.failed)),
          ("expired", .integer(triggers.expired)), ("rejected", .integer(triggers.rejected)),
          ("deferred", .integer(triggers.deferred)),
        ])
      ),
    ]
  }

  /// The fields that only the record of a run has.
  var fields: [(name: String, value: JSONValue)] {
    counts + [("history_mended", .integer(historyMended))]
  }
}
