import Channels
import Posix
import Spool

/// What will become of every pending file, in four bytes for each: a spool may hold a million.
///
/// Looking at a million files is mostly waiting for the kernel, so two threads share it.
struct DryRunScan {
  enum Verdict: Equatable {
    /// Its channel is run, and nothing else is to be said of it.
    case run(channel: Int)
    /// Expired or rejected; another look tells why.
    case givenUp
    /// Something else; another look tells what.
    case other
    /// There is no such file any more.
    case gone
  }

  /// From so many files on, a second thread is worth its start.
  private static let many = 10_000

  private let codes: [Int32]

  /// - Parameter moment: that by which the age of triggers is judged.
  init(_ batch: Instance, _ pending: PendingList, at moment: Timestamp) throws(SystemError) {
    guard pending.count >= Self.many else {
      codes = try Self.codes(batch, pending, 0..<pending.count, moment)
      return
    }
    let middle = pending.count / 2
    let rest = Monitor<Result<[Int32], SystemError>>(.success([]))
    let worker = try JoinableThread {
      let result: Result<[Int32], SystemError>
      do throws(SystemError) {
        result = .success(try Self.codes(batch, pending, middle..<pending.count, moment))
      } catch { result = .failure(error) }
      rest.withLock { $0 = result }
    }
    let beginning: Result<[Int32], SystemError>
    do throws(SystemError) {
      beginning = .success(try Self.codes(batch, pending, 0..<middle, moment))
    } catch { beginning = .failure(error) }
    worker.join()
    codes = try beginning.get() + rest.withLock { $0 }.get()
  }

  subscript(index: Int) -> Verdict {
    switch codes[index] {
    case -1: .givenUp
    case -2: .other
    case -3: .gone
    case let channel: .run(channel: Int(channel))
    }
  }

  private static func codes(
    _ batch: Instance, _ pending: PendingList, _ range: Range<Int>, _ moment: Timestamp
  ) throws(SystemError) -> [Int32] {
    let inspector = batch.inspector()
    // Enabled ones, by the ids that triggers have named so far.
    var channels: [Int64: Int32] = [:]
    func channel(_ id: Int64) -> Int32 {
      if let known = channels[id] { return known }
      var code: Int32 = -2
      if case .found(let channel) = batch.resolve([.id(id)]) { code = Int32(exactly: channel.id) ?? -2 }
      channels[id] = code
      return code
    }
    var codes: [Int32] = []
    codes.reserveCapacity(range.count)
    for index in range {
      let name = pending.name(index)
      if let file = try inspector.glance(at: name, now: moment) {
        let (time, reference) = TriggerName.parts(of: name)
        let limit = batch.configuration.expireAfter
        if case .id(let id) = reference,
          !Trigger.isStale(Trigger.requestTime(time, file), at: moment, after: limit)
        {
          codes.append(channel(id))
          continue
        }
      }
      guard let entry = try batch.planEntry(name, inspector, at: moment) else {
        codes.append(-3)
        continue
      }
      switch entry.state {
      case .stale, .invalid: codes.append(-1)
      case .ready where entry.user == nil:
        codes.append(entry.channelID.flatMap { Int32(exactly: $0) } ?? -2)
      case .ready, .settling, .unknown: codes.append(-2)
      }
    }
    return codes
  }
}
