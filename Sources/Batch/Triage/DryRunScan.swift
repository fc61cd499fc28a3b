import Channels
import Posix
import Spool

/// What will become of every pending file, in four bytes for each: a spool may hold a million.
///
/// The kernel takes most of the time that a million files cost, so two threads share the work.
struct DryRunScan {
  enum Finding: Equatable {
    /// The channel at this index in the configuration is run, and there is nothing else to say about the trigger.
    case run(channel: Int)
    /// Expired or rejected: such files come before the scheduled channels.
    case retired
    /// Something else; another inspection tells what.
    case other
    /// The file has vanished.
    case gone
  }

  /// A finding in four bytes.
  private struct Code {
    private let value: Int32

    init(_ finding: Finding) {
      switch finding {
      case .run(let channel): value = Int32(exactly: channel) ?? -2
      case .retired: value = -1
      case .other: value = -2
      case .gone: value = -3
      }
    }

    var finding: Finding {
      switch value {
      case -1: .retired
      case -2: .other
      case -3: .gone
      default: .run(channel: Int(value))
      }
    }
  }

  /// From this many files on, a second thread is worth starting.
  private static let threadThreshold = 10_000

  private let codes: [Code]

  init(_ pending: PendingList, _ inspector: Inspector, _ triage: Triage, channels: [Channel])
    throws(SystemError)
  {
    let indices = Dictionary(uniqueKeysWithValues: zip(channels.map(\.id), channels.indices))
    @Sendable func codes(_ range: Range<Int>) throws(SystemError) -> [Code] {
      var scan = Scan(inspector: inspector, triage: triage, indices: indices)
      var codes: [Code] = []
      codes.reserveCapacity(range.count)
      for index in range { codes.append(Code(try scan.finding(pending.name(index)))) }
      return codes
    }
    guard pending.count >= Self.threadThreshold else {
      self.codes = try codes(0..<pending.count)
      return
    }
    let (middle, end) = (pending.count / 2, pending.count)
    let secondHalf = Monitor<Result<[Code], SystemError>>(.success([]))
    let thread = try JoinableThread {
      let result: Result<[Code], SystemError>
      do throws(SystemError) { result = .success(try codes(middle..<end)) } catch { result = .failure(error) }
      secondHalf.withLock { $0 = result }
    }
    let firstHalf: Result<[Code], SystemError>
    do throws(SystemError) { firstHalf = .success(try codes(0..<middle)) } catch {
      firstHalf = .failure(error)
    }
    thread.join()
    self.codes = try firstHalf.get() + secondHalf.withLock { $0 }.get()
  }

  subscript(index: Int) -> Finding { codes[index].finding }

  /// One thread's share of the work.
  private struct Scan {
    let inspector: Inspector
    let triage: Triage
    /// Where each channel is in the configuration.
    let indices: [Int64: Int]
    /// The findings for triggers that name a channel by its id, for the ids that have been named so far.
    private var known: [Int64: Finding] = [:]

    init(inspector: Inspector, triage: Triage, indices: [Int64: Int]) {
      self.inspector = inspector
      self.triage = triage
      self.indices = indices
    }

    mutating func finding(_ name: FileName) throws(SystemError) -> Finding {
      // Most files in a spool of this size are empty, and the name of an empty file says all about it.
      let peeked = try inspector.peek(name, now: .now())
      if let peeked {
        let (time, reference) = TriggerName.parts(of: name)
        if case .id(let id) = reference, triage.staleAge(of: Trigger.requestTime(time, peeked)) == nil {
          return finding(id)
        }
      }
      switch triage.verdict(on: try inspector.inspection(of: name, peeked, now: .now())) {
      case .gone: return .gone
      case .reject, .expire: return .retired
      case .run(let trigger, let channel) where trigger.user == nil: return finding(channel.id)
      case .run, .fail, .unsettled, .unreadable: return .other
      }
    }

    private mutating func finding(_ id: Int64) -> Finding {
      if let finding = known[id] { return finding }
      var finding = Finding.other
      if case .found(let channel) = triage.resolve([.id(id)]), let index = indices[channel.id] {
        finding = .run(channel: index)
      }
      known[id] = finding
      return finding
    }
  }
}
