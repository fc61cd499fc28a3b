package import Posix

/// Whether the batch was asked to stop. Passed in, so that everything above `Signals` can be tested in one process.
package struct StopRequest: Sendable {
  private let signals: @Sendable () -> (first: Int32?, count: Int)

  /// The signals that reach this process; see `Signals`.
  package static let bySignal = StopRequest { (Signals.stop, Signals.stopCount) }

  /// - Parameter signals: the signal to report, and how many have arrived so far. May be asked at any time, also by
  ///   several threads.
  package init(_ signals: @escaping @Sendable () -> (first: Int32?, count: Int)) { self.signals = signals }

  /// The signal that asked; nil as long as nobody has.
  package var signal: Int32? { signals().first }

  /// Whether a second signal has arrived, which means "at once".
  package var isUrgent: Bool { signals().count > 1 }

  /// Waits for time to pass, unless a stop is requested first.
  ///
  /// - Returns: the signal that asked; nil when the time passed.
  package func wait(until deadline: MonotonicTime) throws(SystemError) -> Int32? {
    while signal == nil, MonotonicTime.now() < deadline { try Poll.wait(until: deadline) }
    return signal
  }
}
