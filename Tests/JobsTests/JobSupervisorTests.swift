import Channels
import Foundation
import Posix
import TestSupport
import Testing

@testable import Jobs

/// The jobs are shell scripts, and the process of the tests is their batch.
@Suite("The supervision of a job", .serialized, .alone)
struct JobSupervisorTests {
  private let scratch: TemporaryDirectory
  /// The signals that ask this batch to stop.
  private let signals = Monitor<[Int32]>([])

  init() throws {
    scratch = try TemporaryDirectory()
    try Signals.handle()
    try Children.adoptOrphans()
  }

  private struct Outcome {
    let ending: Supervision.Ending
    let isClean: Bool
    let items: Int
    let error: String?
    let wasLongRunning: Bool
  }

  /// Runs a script to its end.
  ///
  /// - Parameters:
  ///   - whenLong: called as soon as the job counts as long-running.
  ///   - arrived: the signals that ask to stop; those of `signals` by default.
  private func supervise(
    _ script: String, timeout: Duration = .seconds(20), stall: Duration? = nil,
    grace: Duration = .seconds(10),
    success: [Int32] = [0], patience: Duration = .milliseconds(50),
    whenLong: @escaping () -> Void = {}, arrived: (@Sendable () -> [Int32])? = nil
  ) throws -> Outcome {
    let directory = try Directory(path: scratch.path)
    guard let lock = try FileLock.tryAcquire(FileName("lock"), in: directory) else {
      throw Failure("the lock is not free")
    }
    var pipes = try OutputPipes()
    let child = try ChildProcess.start(
      program: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"],
      directory: scratch.path, writingTo: pipes, inheriting: lock)
    var output = JobOutput(id: 1, directory: directory, rules: OutputRules(), log: Log { _ in })
    let wasLong = Monitor(false)
    let signals = signals
    let supervisor = JobSupervisor(
      timeout: timeout, stall: stall, grace: grace, success: success, patience: patience,
      stop: StopRequest {
        let arrived = arrived?() ?? signals.withLock { $0 }
        return (arrived.first, arrived.count)
      },
      onLongRunning: {
        wasLong.withLock { $0 = true }
        whenLong()
      })
    let supervision = try supervisor.supervise(child, &pipes, into: &output)
    if let trouble = supervision.trouble { throw trouble }
    return Outcome(
      ending: supervision.ending, isClean: supervision.isClean, items: output.items.count,
      error: output.cause.text, wasLongRunning: wasLong.withLock { $0 })
  }

  @Test("A job that ends by itself is clean, and its whole output is counted")
  func clean() throws {
    let outcome = try supervise("echo a; echo b; echo cause >&2; exit 3")
    #expect(outcome.ending == .exited(.status(3)))
    #expect(outcome.isClean)
    #expect(outcome.items == 2)
    #expect(outcome.error == "cause")
    #expect(!outcome.wasLongRunning)
  }

  @Test("More output than a pipe holds is read to its end")
  func muchOutput() throws {
    let outcome = try supervise("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i + 1)); done")
    #expect(outcome.items == 20_000)
    #expect(outcome.isClean)
  }

  @Test("A job that heeds SIGTERM at its timeout is not killed")
  func timeout() throws {
    let outcome = try supervise(
      "trap 'echo stopping; exit 0' TERM; while :; do sleep 0.01; done", timeout: .milliseconds(300))
    #expect(outcome.ending == .timedOut)
    #expect(outcome.items == 1)
    #expect(outcome.wasLongRunning)
    #expect(!outcome.isClean)
  }

  @Test("A job that writes nothing for too long is stopped", arguments: ["", "echo begun; "])
  func stall(beginning: String) throws {
    let outcome = try supervise(
      "\(beginning)exec sleep 1000", timeout: .seconds(600), stall: .milliseconds(300))
    #expect(outcome.ending == .stalled)
    #expect(!outcome.isClean)
  }

  @Test("A job that writes anything to one of its streams from time to time is not stopped")
  func notStalled() throws {
    let outcome = try supervise(
      "for i in 1 2 3 4; do sleep 0.5; printf . >&2; sleep 0.5; echo; done", stall: .seconds(3))
    #expect(outcome.ending == .exited(.status(0)))
  }

  @Test("A job that ignores SIGTERM is killed after its grace")
  func kill() throws {
    let outcome = try supervise(
      "trap '' TERM; while :; do sleep 0.01; done", timeout: .milliseconds(200), grace: .milliseconds(100))
    #expect(outcome.ending == .timedOut)
  }

  @Test("A request to stop ends the job as interrupted", arguments: [SIGTERM, SIGINT])
  func interrupted(signal: Int32) throws {
    let signals = signals
    let outcome = try supervise("exec sleep 60") { signals.withLock { $0 = [signal] } }
    #expect(outcome.ending == .interrupted(signal))
  }

  @Test("A second request to stop kills the job at once")
  func urgent() throws {
    let signals = signals
    let begin = MonotonicTime.now()
    let outcome = try supervise("trap '' TERM; while :; do sleep 0.01; done", grace: .seconds(60)) {
      signals.withLock { $0 = [SIGTERM, SIGTERM] }
    }
    #expect(outcome.ending == .interrupted(SIGTERM))
    #expect(MonotonicTime.now() - begin < .seconds(30))
  }

  @Test("A signal to both the job and the batch is a request to stop, whichever receives it first")
  func bothStopped() throws {
    signals.withLock { $0 = [] }
    let signals = signals
    let outcome = try supervise("sleep 0.2; kill -TERM $$") { signals.withLock { $0 = [SIGTERM] } }
    #expect(outcome.ending == .interrupted(SIGTERM))
  }

  @Test(
    "A request to stop that comes after the end of a job counts unless the job has succeeded",
    arguments: [
      (0, [0], false), (3, [0, 3], false), (3, [0], true), (0, [3], true),
      // What a shell says when SIGTERM ended it, even where that counts as a success.
      (143, [0, 143], true),
    ] as [(Int32, [Int32], Bool)])
  func stoppedAtItsEnd(status: Int32, success: [Int32], isInterrupted: Bool) throws {
    let file = "\(scratch.path)/pid"
    let outcome = try supervise(
      "echo $$ >pid; exit \(status)", success: success,
      arrived: {
        // /proc has the job until it is reaped.
        let id = (try? String(contentsOfFile: file, encoding: .utf8)).flatMap { Int32($0.dropLast()) }
        return id.map { !FileManager.default.fileExists(atPath: "/proc/\($0)") } == true ? [SIGTERM] : []
      })
    #expect(outcome.ending == (isInterrupted ? .interrupted(SIGTERM) : .exited(.status(status))))
  }

  @Test("A job that another process ends with a signal counts as having ended by itself")
  func endedBySomebody() throws {
    #expect(try supervise("kill -TERM $$").ending == .exited(.signal(SIGTERM)))
  }

  @Test(
    "A process that a job leaves behind is ended, even in another session",
    arguments: ["sleep 60 & exit 0", "setsid sleep 60 & exit 0", "(trap '' TERM; sleep 60) & exit 0"])
  func leftovers(script: String) throws {
    let outcome = try supervise(script, grace: .milliseconds(200))
    #expect(outcome.ending == .exited(.status(0)))
    #expect(!outcome.isClean)
    #expect(try Children.reap() == .childless)
  }

  @Test("What a job leaves behind has a moment to end by itself, and its output is the job's")
  func filter() throws {
    let script = "(sleep 0.2; echo late; echo cause >&2) & exit 3"
    let outcome = try supervise(script, patience: .seconds(60))
    #expect(outcome.ending == .exited(.status(3)))
    #expect(outcome.items == 1)
    #expect(outcome.error == "cause")
    #expect(try supervise(script, patience: .zero).items == 0)
  }

  @Test(
    "A job is not waited for when it left nothing behind, or only what cannot write to its pipes",
    arguments: ["exit 0", "sleep 1000 >/dev/null 2>&1 & exit 0"])
  func nothingToWaitFor(script: String) throws {
    let begin = MonotonicTime.now()
    #expect(try supervise(script, patience: .seconds(600)).ending == .exited(.status(0)))
    #expect(MonotonicTime.now() - begin < .seconds(60))
    #expect(try Children.reap() == .childless)
  }

  @Test("A process that keeps a pipe of its job open is ended after the moment")
  func keptPipe() throws {
    let outcome = try supervise("sleep 1000 & echo a", patience: .milliseconds(100))
    #expect(outcome.items == 1)
    #expect(try Children.reap() == .childless)
  }
}
