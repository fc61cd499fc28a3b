import Jobs
import Posix
import Spool
import TestSupport

@testable import Batch

/// A run whose steps a test calls one by one. The lock is held until the test ends.
struct TestRun {
  let instance: TestInstance
  let context: RunContext
  /// The lines of the log, without their times.
  let log: Monitor<[String]>
  /// The signals that ask the run to stop.
  let signals: Monitor<[Int32]>

  init(_ instance: TestInstance, asOf startedAt: Timestamp = .now(), options: RunOptions = RunOptions())
    throws
  {
    let (log, signals) = (Monitor<[String]>([]), Monitor<[Int32]>([]))
    try Signals.handle()
    try Children.adoptOrphans()
    let stop = StopRequest {
      let arrived = signals.withLock { $0 }
      return (arrived.first, arrived.count)
    }
    let opened = try instance.opened(stop: stop) { line in
      log.withLock { $0.append(String(line.drop { $0 != " " }.dropFirst().dropLast())) }
    }
    let store = try opened.openStore()
    switch try SchedulerLock.tryAcquire(
      opened.lockFile(), kind: .manual, startedAt: startedAt, owner: opened.owner)
    {
    case .held: throw Failure("the lock is not free")
    case .acquired(let lock):
      context = try RunContext(opened, store, lock: lock, startedAt: startedAt, options: options)
    }
    self.instance = instance
    self.log = log
    self.signals = signals
  }

  /// Makes all records durable, and returns the outcomes of the triggers in the order of their records.
  func outcomes() throws -> [String] {
    try context.ledger.flush()
    return try instance.history().compactMap { record in
      record["trigger"].string.flatMap { name in record["outcome"].string.map { "\(name) \($0)" } }
    }
  }
}
