import Posix
import Spool
import Text

/// The time it takes to find out whether a run is active, with and without an active run.
enum LockCheckRow {
  private static let checks = 10_000

  static func measure(on bench: Workbench) throws -> [Finding] {
    let instance = try bench.instance()
    let place = SchedulerLockFile(
      directory: try Directory(path: instance.spool), name: SpoolDirectory.lockName)
    let turns = bench.options.count(20)
    bench.progress("row 10: \(turns) rounds")
    // This makes the lock file, and releases the lock at once.
    _ = try FileLock.tryAcquire(place.name, in: place.directory)
    let free = try (0..<turns).map { _ in try time(place, isHeld: false) }
    let lock = try FileLock.tryAcquire(place.name, in: place.directory)
    if lock == nil { throw Failure("the lock of \(instance.spool) is not free") }
    let held = try (0..<turns).map { _ in try time(place, isHeld: true) }
    return [
      Finding(.lockCheck, "lock check, free", .seconds, free, goal: .value(.atMost, 5e-6)),
      Finding(.lockCheck, "lock check, held", .seconds, held, goal: .value(.atMost, 5e-6)),
    ]
  }

  /// Seconds a check.
  private static func time(_ place: SchedulerLockFile, isHeld: Bool) throws -> Double {
    let begin = MonotonicTime.now()
    for _ in 0..<checks where try place.isHeld() != isHeld {
      throw Failure("the lock check gave a wrong answer")
    }
    return (MonotonicTime.now() - begin).secondsWithFraction / Double(checks)
  }
}
