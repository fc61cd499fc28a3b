package import Channels
package import Posix
import Text

/// Runs jobs: finds their programs, gives them their environment, and repeats them after transient failures.
package final class JobRunner {
  /// What is the same for all jobs of a channel in a run.
  private struct Launch {
    let program: String
    let arguments: CStringArray
    let environment: CStringArray
  }

  private let logs: Directory
  private let log: Log
  private let stop: StopRequest
  private let directory: String
  private let environment: [String]
  private let searchPath: String
  private var launches: [Int64: Launch] = [:]
  /// The variables that differ from job to job.
  private var variables = EnvironmentBlock()
  /// The pipes of the last job, if no process can hold them any longer.
  private var pipes: OutputPipes?

  /// Whether the last job ended by itself and left no process behind.
  package private(set) var leftNothingBehind = false

  package init(configuration: Configuration, logs: Directory, log: Log, stop: StopRequest) {
    self.logs = logs
    self.log = log
    self.stop = stop
    directory = configuration.directory
    // A batch that is itself a job of another batch must not hand that job's variables on.
    environment = CurrentProcess.environment().filter { entry in
      !JobVariable.allCases.contains { entry.hasPrefix("\($0.rawValue)=") }
    }
    searchPath = CurrentProcess.searchPath
  }

  /// Runs a job to its end. A failed job is a result, not an error.
  ///
  /// - Parameters:
  ///   - lock: the channel's, inherited by the job's processes.
  ///   - onStopping: called before a job is cut short because the batch is asked to stop.
  ///   - onLongRunning: called when an attempt takes longer than a tenth of a second.
  /// - Throws: when the batch itself cannot go on.
  package func run(
    _ job: Job, holding lock: borrowing FileLock, onStopping: @escaping () -> Void = {},
    onLongRunning: @escaping () -> Void
  ) throws(SystemError) -> JobResult {
    let begin = MonotonicTime.now()
    var result = JobResult(attempt: job.firstAttempt, startedAt: .now())
    var items = ItemCounter()
    // A job that must never run twice is not repeated after a transient failure either.
    let attempts = job.channel.rerun ? max(1, job.channel.attempts) : 1
    for round in 1...attempts {
      result.attempt = job.firstAttempt + round - 1
      let isTransient = try attempt(
        job, &result, &items, holding: lock, onStopping: onStopping, onLongRunning: onLongRunning)
      guard isTransient, round < attempts else { break }
      log.warning(
        "job failed for a transient reason and will be tried again",
        [
          "channel": job.channel.name, "id": String(job.id), "attempt": String(result.attempt),
          "in": job.channel.retryDelay.brief, "error": result.errorMessage,
        ])
      if let signal = try stop.wait(until: .now() + job.channel.retryDelay) {
        result.outcome = .interrupted
        result.errorMessage = "stopped by \(Signals.name(signal)) while waiting to try again"
        break
      }
    }
    result.finishedAt = .now()
    result.duration = .now() - begin
    return result
  }

  /// - Returns: whether the attempt failed in a way that may pass.
  private func attempt(
    _ job: Job, _ result: inout JobResult, _ items: inout ItemCounter, holding lock: borrowing FileLock,
    onStopping: @escaping () -> Void, onLongRunning: @escaping () -> Void
  ) throws(SystemError) -> Bool {
    let channel = job.channel
    var output = JobOutput(
      id: job.id, directory: logs, rules: channel.output, addingTo: items, log: log)
    let started: StartedJob
    leftNothingBehind = false
    do throws(SystemError) { started = try start(job, result.attempt, holding: lock) } catch {
      if error.isShortage, result.attempt == job.firstAttempt {
        result.shortage = error
      } else {
        result.outcome = .failed
        result.errorMessage = error.description
      }
      return false
    }
    var pipes = started.pipes
    let supervisor = JobSupervisor(
      timeout: channel.timeout, stall: channel.stall, stopSignal: channel.stopSignal, grace: channel.grace,
      success: channel.success, stop: stop, onStopping: onStopping, onLongRunning: onLongRunning)
    let supervision = try supervisor.supervise(started.child, &pipes, into: &output)
    leftNothingBehind = supervision.isClean
    if supervision.isClean { self.pipes = consume pipes }
    if supervision.endedLeftovers {
      log.info("ended what the job left behind", ["id": String(job.id), "channel": channel.name])
    }
    if let trouble = supervision.trouble {
      log.warning(
        "processes that the job left behind may still be running: \(trouble)",
        ["id": String(job.id), "channel": channel.name])
    }
    items = output.items
    return conclude(supervision.ending, output, channel, &result)
  }

  /// Fills in how an attempt ended.
  ///
  /// - Returns: whether the attempt failed in a way that may pass.
  private func conclude(
    _ ending: Supervision.Ending, _ output: borrowing JobOutput, _ channel: Channel,
    _ result: inout JobResult
  ) -> Bool {
    let end = AttemptOutcome(ending, output.matches, success: channel.success)
    result.outcome = end.outcome
    result.warnings = end.warnings
    result.items = output.items.count
    (result.exitStatus, result.signal) =
      switch ending {
      case .exited(.status(let status)): (status, nil)
      case .exited(.signal(let signal)): (nil, signal)
      case .timedOut, .stalled, .interrupted: (nil, nil)
      }
    result.errorMessage = end.outcome == .succeeded ? nil : message(ending, output.cause, channel)
    return end.isTransient
  }

  /// Why an attempt that ended so did not succeed.
  private func message(_ ending: Supervision.Ending, _ cause: FailureCause, _ channel: Channel) -> String {
    let causeText = cause.text.map { ": \($0)" } ?? ""
    switch ending {
    // The status says less than a line that the configuration has for this.
    case .exited where cause.failure != nil: return cause.failure ?? ""
    case .exited(.status(0)): return "exit status 0, which success does not list\(causeText)"
    case .exited(.status(let status)): return "exit status \(status)\(causeText)"
    case .exited(.signal(let signal)): return "ended by \(Signals.name(signal))\(causeText)"
    // What it wrote last before its time was up is not why.
    case .timedOut: return "not finished after \(channel.timeout.brief)"
    case .stalled: return "stopped after \((channel.stall ?? .zero).brief) without any output"
    case .interrupted(let signal): return "stopped by \(Signals.name(signal))"
    }
  }

  private struct StartedJob: ~Copyable {
    let child: ChildProcess
    let pipes: OutputPipes
  }

  private func start(
    _ job: Job, _ attempt: Int, holding lock: borrowing FileLock
  ) throws(SystemError) -> StartedJob {
    let channel = job.channel
    if !PathQueries.exists(channel.directory) {
      try PathQueries.makeDirectory(channel.directory, mode: 0o777 & ~channel.umask)
    }
    let launch = try launch(channel)
    let pipes = if let spare = self.pipes.take() { spare } else { try OutputPipes() }
    try pipes.reset()
    setVariables(of: job, attempt)
    let child = try ChildProcess.start(
      program: launch.program, arguments: launch.arguments, environment: launch.environment,
      adding: variables, directory: directory, umask: channel.umask, writingTo: pipes, inheriting: lock)
    return StartedJob(child: child, pipes: pipes)
  }

  /// The command of a channel, ready to be started. Its program is searched for once per run; if the program disappears
  /// later, the start fails as the search would.
  private func launch(_ channel: Channel) throws(SystemError) -> Launch {
    if let known = launches[channel.id] { return known }
    let arguments = channel.arguments()
    guard let program = PathQueries.program(arguments[0], searching: searchPath) else {
      throw SystemError("start", arguments[0], .noSuchFile)
    }
    let launch = Launch(
      program: program, arguments: CStringArray(arguments),
      environment: CStringArray(
        inherited(by: channel) + channel.environment.map { "\($0)=\($1)" } + [
          JobVariable.channelID.entry(String(channel.id)), JobVariable.channel.entry(channel.name),
          JobVariable.url.entry(channel.url), JobVariable.limit.entry(String(channel.limit)),
          JobVariable.dir.entry(channel.directory),
        ]))
    launches[channel.id] = launch
    return launch
  }

  /// The entries of the batch's environment that the channel does not replace.
  private func inherited(by channel: Channel) -> [String] {
    let replaced = channel.environment.keys.map { "\($0)=" }
    return environment.filter { entry in !replaced.contains { entry.utf8.starts(with: $0.utf8) } }
  }

  private func setVariables(of job: Job, _ attempt: Int) {
    variables.removeAll()
    for (variable, value) in [
      (JobVariable.kind, job.kind.rawValue), (.trigger, job.trigger?.description.printable ?? ""),
      (.user, job.user ?? ""), (.run, String(job.run)), (.historyID, String(job.id)),
      (.attempt, String(attempt)),
    ] {
      variables.append(variable.rawValue, value)
    }
  }
}
