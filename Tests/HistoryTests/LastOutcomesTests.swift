import History
import TestSupport
import Testing

@Suite("The last outcome of every channel")
struct LastOutcomesTests {
  private static let run = #"{"id":9,"run":9,"kind":"run","outcome":"succeeded"}"#

  private static func job(_ id: Int, channel: Int) -> String {
    """
    {"id":\(id),"run":1,"kind":"manual","channel_id":\(channel),"started_at":"2026-01-31T10:30:00Z",\
    "outcome":"succeeded"}
    """
  }

  /// The outcomes of channels 1 and 2, each of which is enabled or not.
  private func outcomes(_ isEnabled: Bool...) throws -> LastOutcomes {
    func ids(_ isWanted: Bool) -> [Int64] {
      isEnabled.indices.filter { isEnabled[$0] == isWanted }.map { Int64($0 + 1) }
    }
    return LastOutcomes(enabled: ids(true), disabled: ids(false))
  }

  private func take(_ line: String, _ outcomes: inout LastOutcomes) -> Bool {
    outcomes.take(Array(line.utf8)[...])
  }

  @Test("A record of a channel that is no longer configured does not end the search for the others")
  func formerChannel() throws {
    var outcomes = try outcomes(true, true)
    #expect(take(Self.run, &outcomes))
    #expect(take(Self.job(8, channel: 3), &outcomes))
    #expect(take(Self.job(7, channel: 2), &outcomes))
    #expect(!take(Self.job(6, channel: 1), &outcomes))
    #expect(outcomes.run?.id == 9)
    #expect(outcomes.jobs.mapValues(\.id) == [1: 6, 2: 7])
  }

  @Test("The search continues until it has found a run")
  func runMissing() throws {
    var outcomes = try outcomes(true)
    #expect(take(Self.job(8, channel: 1), &outcomes))
    #expect(take(Self.job(7, channel: 1), &outcomes))
    #expect(!take(Self.run, &outcomes))
    #expect(outcomes.jobs.mapValues(\.id) == [1: 8])
  }

  @Test(
    "The search for a disabled channel ends at a limit, and the search for an enabled channel does not",
    arguments: [false, true])
  func bounded(isEnabled: Bool) throws {
    var outcomes = try outcomes(true, isEnabled)
    #expect(take(Self.run, &outcomes))
    #expect(take(Self.job(8, channel: 1), &outcomes))
    let depth = isEnabled ? LastOutcomes.depth.enabled : LastOutcomes.depth.disabled
    for number in 3..<depth {
      guard take(Self.job(7, channel: 1), &outcomes) else { throw Failure("ended after \(number) records") }
    }
    #expect(!take(Self.job(7, channel: 1), &outcomes))
  }
}
