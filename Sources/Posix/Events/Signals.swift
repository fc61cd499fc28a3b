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
