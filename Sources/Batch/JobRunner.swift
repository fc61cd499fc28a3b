import Channels
import Posix
import Spool

/// One job to be run.
struct Job {
  let id: Int64
  let run: Int64
  let kind: HistoryRecord.Kind
  let channel: Channel
  let trigger: FileName?
  let user: String?
  /// The number of the first attempt: above 1 when earlier ones were cut short by a crash.
  let firstAttempt: Int
}

/// How a job ended, all its attempts together.
struct JobResult {
  var outcome: Outcome
  /// Why it was never started, when that is the batch's own want (of descriptors, processes or memory), not the job's.
  var shortage: SystemError?
  var exitStatus: Int32?
  var signal: Int32?
  var items = 0
  var errorMessage: String?
  var attempt: Int
  let startedAt: Timestamp
  var finishedAt: Timestamp
  var duration: Duration
}

/// Runs jobs: looks their programs up, gives them their environment, and repeats them after transient failures.
final class JobRunner {
  /// What is the same for all jobs of a channel in a run.
  private struct Launch {
    let program: String
    let arguments: CStringArray
    let environment: CStringArray
  }

  /// sysexits.h, EX_TEMPFAIL: "try again later".
  private static let temporaryFailure: Int32 = 75

  private let logs: Directory
  private let log: Log
  private let directory: String
  private let environment: [String]
  private let searchPath: String
  private var launches: [Int: Launch] = [:]
  /// What is different for each job.
  private var variables = EnvironmentBlock()
  /// Of the last job, when surely nobody holds them any more.
  private var pipes: OutputPipes?

  /// Whether the last job ended by itself and left no process behind.
  private(set) var hasLeftNothingBehind = false

  init(configuration: Configuration, logs: Directory, log: Log) {
    self.logs = logs
    self.log = log
    directory = configuration.directory
    // A job that is itself started by a job of another batch must not see that one's variables.
    environment = CurrentProcess.environment().filter { entry in
      !JobVariable.allCases.contains { entry.hasPrefix("\($0.rawValue)=") }
    }
    searchPath = CurrentProcess.searchPath
  }

  /// Runs a job to its end. Failing is a result, never an error.
  ///
  /// - Parameters:
  ///   - lock: the channel's, handed down to the job's processes.
  ///   - onLasting: called when an attempt lasts longer than a moment.
  /// - Throws: when the batch itself can't go on.
  func run(
    _ job: Job, holding lock: borrowing FileLock, onLasting: @escaping () -> Void
  ) throws(SystemError) -> JobResult {
    let startedAt = Timestamp.now()
    let begin = MonotonicTime.now()
    var result = JobResult(
      outcome: .failed, attempt: job.firstAttempt, startedAt: startedAt, finishedAt: startedAt,
      duration: .zero)
    // What must not be repeated is not repeated for a failure that may pass, either.
    let attempts = job.channel.rerun ? max(1, job.channel.attempts) : 1
    for round in 1...attempts {
      result.attempt = job.firstAttempt + round - 1
      let isTransient = try attempt(job, &result, holding: lock, onLasting: onLasting)
      guard isTransient, round < attempts else { break }
      log.warning(
        "job failed for now, will be tried again",
        [
          "channel": job.channel.name, "id": String(job.id), "attempt": String(result.attempt),
          "in": job.channel.retryDelay.brief, "error": result.errorMessage,
        ])
      if let signal = try waitForRetry(job.channel.retryDelay) {
        result.outcome = .interrupted
        result.errorMessage = "stopped by \(Signals.name(signal)) while waiting to try again"
        break
      }
    }
    result.finishedAt = .now()
    result.duration = .now() - begin
    return result
  }

  /// - Returns: whether it failed in a way that may pass.
  private func attempt(
    _ job: Job, _ result: inout JobResult, holding lock: borrowing FileLock, onLasting: @escaping () -> Void
  ) throws(SystemError) -> Bool {
    let channel = job.channel
    var output = JobOutput(id: job.id, directory: logs, transient: channel.transient, log: log)
    let started: StartedJob
    hasLeftNothingBehind = false
    do throws(SystemError) { started = try start(job, result.attempt, holding: lock) } catch {
      if error.isShortage, result.attempt == job.firstAttempt {
        result.shortage = error
        return false
      }
      // A job that cannot be started has failed; the others still have their turn.
      result.outcome = .failed
      result.errorMessage = error.description
      return false
    }
    let pipes = started.pipes
    let outcome = try JobSupervisor(
      limits: .init(timeout: channel.timeout, grace: channel.grace), onLasting: onLasting
    ).supervise(started.child, pipes, into: &output)
    hasLeftNothingBehind = outcome.isClean
    if outcome.isClean { self.pipes = consume pipes }
    if let trouble = outcome.trouble {
      log.warning(
        "what the job left behind may live on: \(trouble)", ["id": String(job.id), "channel": channel.name])
    }
    result.items += output.items
    result.exitStatus = nil
    result.signal = nil
    result.errorMessage = nil
    let cause = output.lastErrorLine.map { ": \($0)" } ?? ""
    switch outcome.ending {
    case .exited(.status(0)):
      result.outcome = .succeeded
      result.exitStatus = 0
      return false
    case .exited(.status(let status)):
      result.outcome = .failed
      result.exitStatus = status
      result.errorMessage = "exit status \(status)\(cause)"
      return status == Self.temporaryFailure || output.isTransient
    case .exited(.signal(let signal)):
      result.outcome = .failed
      result.signal = signal
      result.errorMessage = "ended by \(Signals.name(signal))\(cause)"
      return output.isTransient
    case .timedOut:
      result.outcome = .timedOut
      result.errorMessage = "not finished after \(channel.timeout.brief)\(cause)"
      return false
    case .interrupted(let signal):
      result.outcome = .interrupted
      result.errorMessage = "stopped by \(Signals.name(signal))"
      return false
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
    if !Path.exists(channel.directory) { try Path.makeDirectories(channel.directory) }
    let launch = try launch(channel)
    let pipes = if let spare = self.pipes.take() { spare } else { try OutputPipes() }
    try pipes.reset()
    setVariables(of: job, attempt)
    let child = try ChildProcess.start(
      program: launch.program, arguments: launch.arguments,
      environment: launch.environment, adding: variables, directory: directory,
      writingTo: pipes,
      inheriting: lock)
    return StartedJob(child: child, pipes: pipes)
  }

  /// - Returns: the signal that asks the batch to stop, if one came meanwhile.
  private func waitForRetry(_ delay: Duration) throws(SystemError) -> Int32? {
    let deadline = MonotonicTime.now() + delay
    while Signals.stop == nil, MonotonicTime.now() < deadline { try Poll.wait(until: deadline) }
    return Signals.stop
  }

  /// The command of a channel, ready to be started. Its program is looked up once a run: should it go away meanwhile,
  /// the start fails as the look-up would.
  private func launch(_ channel: Channel) throws(SystemError) -> Launch {
    if let known = launches[channel.id] { return known }
    let arguments = channel.arguments()
    guard let program = Path.program(arguments[0], searching: searchPath) else {
      throw SystemError("start", arguments[0], .noSuchFile)
    }
    let launch = Launch(
      program: program, arguments: CStringArray(arguments),
      environment: CStringArray(
        environment + [
          JobVariable.channelID.set(String(channel.id)), JobVariable.channel.set(channel.name),
          JobVariable.url.set(channel.url), JobVariable.limit.set(String(channel.limit)),
          JobVariable.dir.set(channel.directory),
        ]))
    launches[channel.id] = launch
    return launch
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

/// What a job learns about itself.
private enum JobVariable: String, CaseIterable {
  case channelID = "BOBBIN_CHANNEL_ID"
  case channel = "BOBBIN_CHANNEL"
  case url = "BOBBIN_URL"
  case limit = "BOBBIN_LIMIT"
  case dir = "BOBBIN_DIR"
  case kind = "BOBBIN_KIND"
  case trigger = "BOBBIN_TRIGGER"
  case user = "BOBBIN_USER"
  case run = "BOBBIN_RUN"
  case historyID = "BOBBIN_HISTORY_ID"
  case attempt = "BOBBIN_ATTEMPT"

  func set(_ value: String) -> String { "\(rawValue)=\(value)" }
}
