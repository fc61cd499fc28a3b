import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Signals as events: they are counted, and end a `Poll.wait`. Nothing else in the program notices one.
package enum Signals {
  /// Begins to count. Calling it again changes nothing. A signal that was ignored (`nohup`) stays ignored. The
  /// corresponding C function is `sigaction(2)`.
  package static func handle() throws(SystemError) {
    _ = try check(linux_handle_signals(), "prepare for signals", nil)
  }

  /// Signals that ask to stop; of several that have arrived, the first of these counts.
  package static let askingToStop = [SIGTERM, SIGINT, SIGHUP]

  /// A reason to stop that has arrived.
  package static var stop: Int32? { askingToStop.first { linux_signal_count($0) > 0 } }

  /// How many signals that ask to stop have arrived; the second one means "at once".
  package static var stopCount: Int {
    askingToStop.reduce(0) { $0 + Int(linux_signal_count($1)) }
  }

  package static let terminate = SIGTERM
  package static let kill = SIGKILL

  /// `SIGTERM` for 15; the number alone where there is no common name.
  package static func name(_ signal: Int32) -> String {
    let names: [Int32: String] = [
      SIGTERM: "SIGTERM", SIGINT: "SIGINT", SIGHUP: "SIGHUP", SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV",
      SIGABRT: "SIGABRT", SIGPIPE: "SIGPIPE", SIGQUIT: "SIGQUIT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE",
      SIGILL: "SIGILL", SIGALRM: "SIGALRM", SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2", SIGXFSZ: "SIGXFSZ",
      SIGXCPU: "SIGXCPU", SIGTRAP: "SIGTRAP", SIGSYS: "SIGSYS",
    ]
    return names[signal] ?? "signal \(signal)"
  }
}

/// Waiting: for descriptors, a handled signal or time, whatever comes first.
package enum Poll {
  /// Waits for two descriptors. The corresponding C function is `ppoll(2)`.
  ///
  /// - Parameters:
  ///   - first: -1 leaves it out.
  ///   - second: -1 leaves it out.
  ///   - until: nil waits for ever.
  /// - Returns: for each descriptor whether it has something to read or its other side has closed; both false when the
  ///   time has passed or a signal came.
  package static func wait(
    _ first: Int32, _ second: Int32, until: MonotonicTime?
  ) throws(SystemError) -> (Bool, Bool) {
    let rest = until.map { max(0, ($0 - .now()).wholeNanoseconds) } ?? -1
    var set = (linux_poll(descriptor: first, ready: 0), linux_poll(descriptor: second, ready: 0))
    let result = withUnsafeMutableBytes(of: &set) {
      linux_poll($0.bindMemory(to: linux_poll.self).baseAddress, 2, rest)
    }
    _ = try check(result, "wait", nil)
    return (set.0.ready != 0, set.1.ready != 0)
  }

  /// Waits for a signal or time alone.
  package static func wait(until: MonotonicTime?) throws(SystemError) { _ = try wait(-1, -1, until: until) }
}
