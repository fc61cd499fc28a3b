import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Signals as events: a signal is counted and ends a `Poll.wait`. Nothing else in the program notices the signal.
package enum Signals {
  /// Begins to count signals. A second call has no effect. A signal that was ignored (`nohup`) stays ignored. The
  /// corresponding C function is `sigaction(2)`.
  package static func handle() throws(SystemError) {
    _ = try check(linux_handle_signals(), "prepare for signals", nil)
  }

  /// The signals that ask the program to stop. When several have arrived, the first of this list is reported.
  package static let askingToStop = [SIGTERM, SIGINT, SIGHUP]

  /// Those that ask a program to stop that reads its configuration again at SIGHUP.
  package static let askingDaemonToStop = [SIGTERM, SIGINT]

  /// A reason to stop that has arrived.
  package static func stop(among signals: [Int32] = askingToStop) -> Int32? {
    signals.first { linux_signal_count($0) > 0 }
  }

  /// How many signals that ask to stop have arrived; the second one means "at once".
  package static func stopCount(among signals: [Int32] = askingToStop) -> Int {
    signals.reduce(0) { $0 + Int(linux_signal_count($1)) }
  }

  /// How often `Poll.wait` has noticed that children have ended. Costs no system call.
  package static var childEndCount: Int { Int(linux_signal_count(SIGCHLD)) }

  /// How many SIGHUP have arrived.
  package static var hangUpCount: Int { Int(linux_signal_count(SIGHUP)) }

  /// The signals by which a program can be asked to end, and their names without `SIG`.
  package static let endingByName = [
    "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "TERM": SIGTERM, "USR1": SIGUSR1, "USR2": SIGUSR2,
  ]

  package static let terminate = SIGTERM
  package static let kill = SIGKILL

  /// The name of a signal, `SIGTERM` for 15; only its number when it does not have a common name.
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
