import Batch
import Posix
import Spool

struct WatchCommand {
  private let arguments: Arguments
  private let batch: Instance

  init(_ arguments: Arguments, _ batch: Instance) {
    self.arguments = arguments
    self.batch = batch
  }

  func run() throws -> ExitStatus {
    let interval = try arguments.duration("every") ?? .seconds(2)
    if interval < .milliseconds(10) { throw CommandFailure(.usage, "--every takes at least 10ms") }
    batch.log.info("watching", ["spool": batch.spool.root.path, "every": interval.brief])
    switch try batch.watch(every: interval) {
    case .stopped(let signal):
      batch.log.info("stopped by \(Signals.name(signal))")
      return .done
    case .spoolReplaced:
      throw CommandFailure(
        .inputOutput,
        "the spool '\(batch.spool.root.path)' was moved away or replaced; start bobbin watch again")
    }
  }
}
