import Batch
import Jobs
import Posix
import Spool
import Text

struct WatchCommand: Command {
  static let name = "watch"
  static let help = CommandHelp(
    summary: "poll the spool in the foreground and drain it",
    discussion: """
      Carries a trigger out as soon as it has settled, until SIGTERM or SIGINT. Needs no inotify: a poll of a spool
      that has not changed is one system call, and at most once a second another for the configuration. Scheduled
      channels are left to bobbin run. The configuration is read again when it changes, and at SIGHUP; while it has a
      fault, or another spool or lock, the old one stays in force.
      """,
    example: "bobbin watch --every 1s")
  static let options = [CommandOption("every", .required("D"), help: "how often to poll (default 2s)")]
  static let needs: Set<CommandNeed> = [.signals, .makesSpool, .writesSpool]

  static let signals = Signals.askingDaemonToStop

  private static let shortestInterval = Duration.milliseconds(10)

  private let interval: Duration

  init(_ arguments: Arguments) throws {
    interval = try arguments.duration("every") ?? .seconds(2)
    if interval < Self.shortestInterval { throw CommandFailure(.usage, "--every takes at least 10ms") }
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let (file, configuration) = try environment.locatedConfiguration()
    let instance = try environment.instance(configuration, stop: .bySignalButHangUp)
    var watch = ConfigurationWatch(file, configuration, log: instance.log)
    let path = instance.spool.root.path
    instance.log.info("watching", ["spool": path, "every": interval.brief])
    switch try instance.watch(every: interval, newConfiguration: { watch.poll() }) {
    case .stopped(let signal):
      instance.log.info("stopped by \(Signals.name(signal))")
      return .done
    case .spoolReplaced:
      throw CommandFailure(
        .inputOutput, "the spool '\(path)' was moved or replaced; start bobbin watch again")
    }
  }
}
