package import Posix

/// Whether the batch was asked to stop. Passed in, so that everything above `Signals` can be tested in one process.
package struct StopRequest: Sendable {
  private let signals: @Sendable () -> (first: Int32?, count: Int)

  /// The signals that reach this process; see `Signals`.
  package static let bySignal = StopRequest { (Signals.stop(), Signals.stopCount()) }

  /// The same without SIGHUP, at which a program that runs for long reads its configuration again.
  package static let bySignalButHangUp = StopRequest {
    (
      Signals.stop(among: Signals.askingDaemonToStop),
      Signals.stopCount(among: Signals.askingDaemonToStop)
    )
  }

  /// - Parameter signals: returns the signal to report, and how many have arrived so far. May be called at any time,
  ///   also by several threads.
  package init(_ signals: @escaping @Sendable () -> (first: Int32?, count: Int)) { self.signals = signals }

  /// The signal that asked the batch to stop; nil if there was no such signal.
  package var signal: Int32? { signals().first }

  /// Whether a second signal has arrived, which means "at once".
  package var isUrgent: Bool { signals().count > 1 }

  /// Waits until the deadline, unless a stop is requested first.
  ///
  /// - Returns: the signal that asked the batch to stop; nil when the deadline passed.
  package func wait(until deadline: MonotonicTime) throws(SystemError) -> Int32? {
    while signal == nil, MonotonicTime.now() < deadline { try Poll.wait(until: deadline) }
    return signal
  }
}
