import Posix

/// The ladder by which processes are ended: a signal, time to heed it, a harder signal.
///
/// It is data, so that a job and what a job leaves behind are ended in the same way.
struct Teardown: Sendable {
  struct Step: Sendable, Equatable {
    let signal: Int32
    /// How long the processes have before the next step.
    let patience: Duration
  }

  let steps: [Step]

  /// How long to wait for processes that survive even SIGKILL (a dead network disk) before they are abandoned.
  static let patienceAfterKill = Duration.seconds(5)

  /// How often several processes are signalled on each step: one of them may have been about to start another.
  static let signalInterval = Duration.milliseconds(50)

  /// A signal that asks the processes to end, `grace`, SIGKILL.
  static func stopping(_ signal: Int32 = Signals.terminate, grace: Duration) -> Teardown {
    Teardown(steps: [
      Step(signal: signal, patience: grace),
      Step(signal: Signals.kill, patience: patienceAfterKill),
    ])
  }

  /// One descent of the ladder. It begins on the first step.
  struct Descent {
    private var steps: ArraySlice<Step>
    /// When the current step is over.
    private(set) var deadline: MonotonicTime

    init(_ teardown: Teardown, now: MonotonicTime) {
      steps = teardown.steps[...]
      deadline = now + (teardown.steps.first?.patience ?? .zero)
    }

    /// The signal of the current step; nil when every step was in vain.
    var signal: Int32? { steps.first?.signal }

    /// Goes to the next step when the time of the current step has passed, or at once when the caller is in a hurry.
    /// The last step is not hurried: after it there is nothing left to try.
    ///
    /// - Returns: whether the step was over.
    mutating func advance(now: MonotonicTime, isUrgent: Bool) -> Bool {
      guard !steps.isEmpty, now >= deadline || (isUrgent && steps.count > 1) else { return false }
      steps.removeFirst()
      if let next = steps.first { deadline = now + next.patience }
      return true
    }
  }
}
