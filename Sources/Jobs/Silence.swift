import Posix

/// How long a job has written nothing.
struct Silence {
  private let limit: Duration?
  /// When the present silence is too long; nil when it may last as long as it likes.
  private(set) var deadline: MonotonicTime?
  private(set) var isTooLong = false

  /// - Parameter limit: nil for as long as it likes.
  init(limit: Duration?, since begin: MonotonicTime) {
    self.limit = limit
    deadline = limit.map { begin + $0 }
  }

  /// Takes the result of one check of the job's pipes.
  ///
  /// RACE: output may come while this process is not running, and be found later. So the silence is only too long once
  /// the pipes were found empty by a check that began after the deadline.
  ///
  /// - Parameters:
  ///   - begin: when the check began.
  ///   - now: when it ended.
  mutating func note(hasOutput: Bool, since begin: MonotonicTime, now: MonotonicTime) {
    if hasOutput {
      deadline = limit.map { now + $0 }
    } else if let deadline, begin >= deadline {
      isTooLong = true
    }
  }
}
