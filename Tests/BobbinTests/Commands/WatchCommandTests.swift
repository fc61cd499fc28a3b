import Foundation
import Posix
import TestSupport
import Testing

@Suite("The watch", .alone)
struct WatchCommandTests {
  private static let channels = """
    { id: 1, name: "demo", command: ["handlers/note"] },
    { id: 2, name: "held", command: ["handlers/hold"] },
    """

  private func watch(_ instance: TestInstance) throws -> RunningProgram {
    let watch = try instance.start("watch", "--every", "20ms")
    try waitUntil("the watch has begun") { watch.errorSoFar.contains(" info watching ") }
    return watch
  }

  @Test(
    "A watch processes new triggers promptly, and does not run scheduled jobs",
    arguments: [SIGTERM, SIGINT])
  func drains(signal: Int32) throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("0.json")
    let watch = try watch(instance)
    try waitUntil("the earlier trigger is done") { try instance.names("done") == ["0.json"] }
    // Each trigger comes after the previous one is done, so the watch must keep polling.
    for number in 1...3 {
      try instance.drop("\(number).json")
      try waitUntil("trigger \(number) is done", within: .seconds(15)) {
        try instance.names("done").contains("\(number).json")
      }
    }
    watch.signal(signal)
    let result = try watch.wait()
    #expect(result.status == 128 + signal)
    #expect(result.errorLine(with: " info stopped by \(signal == SIGTERM ? "SIGTERM" : "SIGINT")") != nil)
    #expect(try instance.ledger() == (0...3).map { "manual demo \($0).json" })
    #expect(try !instance.isLocked("scheduler.lock"))
    #expect(try instance.names("running") == [])
  }

  @Test("A watch that is asked to stop while a job runs puts the trigger back")
  func stopsInJob() throws {
    let instance = try TestInstance(channels: Self.channels)
    let watch = try watch(instance)
    try instance.drop("a.json", "2")
    try instance.started.wait()
    watch.signal(SIGTERM)
    #expect(try watch.wait().status == 143)
    #expect(try instance.pending() == ["a.json"])
    #expect(try instance.claimed() == [])
  }

  @Test("A watch finishes the claims of a killed batch without a new trigger")
  func recovers() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json", "2")
    try instance.killInJob("run", "--spool-only")
    try instance.release.pass()
    try waitUntil("the orphan has ended") { try !instance.isLocked("channels/2.lock") }
    try instance.release.pass()
    let watch = try watch(instance)
    try waitUntil("the trigger is done") { try instance.names("done") == ["a.json"] }
    watch.signal(SIGTERM)
    #expect(try watch.wait().status == 143)
    #expect(try instance.records(of: "a.json").map { $0["attempt"] } == [2])
  }

  @Test("A watch waits for an active scheduled run")
  func waitsForRun() throws {
    let instance = try TestInstance(channels: Self.channels.replacing("handlers/note", with: "handlers/hold"))
    let run = try instance.start("run")
    try instance.started.wait()
    let watch = try watch(instance)
    try instance.drop("a.json", "1")
    // The run itself processes the trigger when its channels are done.
    try instance.release.pass(times: 3)
    #expect(try run.wait().status == 0)
    try waitUntil("the trigger is done") { try instance.names("done") == ["a.json"] }
    watch.signal(SIGTERM)
    #expect(try watch.wait().status == 143)
    #expect(try instance.ledger().filter { $0.hasPrefix("manual") } == ["manual demo a.json"])
  }

  @Test(
    "A watch ends with 74 when its spool was moved away, even if another spool has its place",
    arguments: [false, true])
  func spoolMoved(isReplaced: Bool) throws {
    let instance = try TestInstance(channels: Self.channels)
    let watch = try watch(instance)
    try watch.waitForPolls(3)
    #expect(rename(instance.spool, instance.spool + ".old") == 0)
    if isReplaced { try instance.drop("a.json") }
    let result = try watch.wait()
    #expect(result.status == 74)
    #expect(
      result.error.hasSuffix(
        "the spool '\(instance.spool)' was moved or replaced; start bobbin watch again\n"))
    #expect(try instance.names("done") == [])
  }

  @Test(
    "A watch finds a trigger even if the spool's time was set back to its value at the last poll",
    arguments: [-86_400, 3_600])
  func setTime(offset: Int) throws {
    let instance = try TestInstance(channels: Self.channels)
    // `rsync -a DIR/ spool/` and `cp -a DIR/. spool` set the time of the folder as well.
    let time = Int(Timestamp.now().seconds) + offset
    func setTime() throws {
      let time = timespec(tv_sec: time, tv_nsec: 0)
      guard utimensat(AT_FDCWD, instance.spool, [time, time], 0) == 0 else {
        throw SystemError("set the times of", instance.spool, .init(errno))
      }
    }
    let watch = try watch(instance)
    try instance.drop("0.json")
    try waitUntil("its run is over") { try instance.history().last?["kind"] == "run" }
    try setTime()
    try watch.waitForPolls(10)
    // The watch must not poll after the drop and before the time is set.
    watch.signal(SIGSTOP)
    try waitUntil("the watch has stopped") {
      try String(contentsOfFile: "/proc/\(watch.id)/stat", encoding: .utf8).contains(") T ")
    }
    try instance.drop("a.json")
    try setTime()
    watch.signal(SIGCONT)
    try waitUntil("the trigger is done") { try instance.names("done") == ["0.json", "a.json"] }
    watch.signal(SIGTERM)
    #expect(try watch.wait().status == 143)
  }

  @Test("A watch that has nothing to do reaps the children that others left to it")
  func reaps() throws {
    let instance = try TestInstance(channels: Self.channels)
    // A child that a shell leaves to the program in its place, as process 1 of a container is left orphans.
    let watch = try Program(
      "/bin/sh",
      [
        "-c",
        "sh -c 'read -r line <\"$1/gates/release\"' sh \"$1\" & echo $! >\"$1/child\"; shift; exec \"$@\"",
        "sh",
      ]
    ).start(
      [
        instance.directory.path, try Program.bobbin().path, "--config", instance.configuration, "watch",
        "--every", "20ms",
      ], outputIn: instance.directory)
    try waitUntil("it watches") { watch.errorSoFar.contains(" info watching ") }
    let child = try instance.directory.text("child").dropLast()
    #expect(FileManager.default.fileExists(atPath: "/proc/\(child)"))
    try watch.waitForPolls(3)
    try instance.release.pass()
    try waitUntil("the child is reaped") { !FileManager.default.fileExists(atPath: "/proc/\(child)") }
    // Its own jobs are still waited for.
    try instance.drop("a.json")
    try waitUntil("it is done") { try instance.names("done") == ["a.json"] }
    watch.signal(SIGTERM)
    #expect(try watch.wait().status == 143)
  }

  // MARK: The configuration

  private static let three = channels + #"{ id: 3, name: "three", command: ["handlers/note"] },"#

  private func stop(_ watch: RunningProgram) throws -> ProgramResult {
    watch.signal(SIGTERM)
    let result = try watch.wait()
    #expect(result.status == 143)
    return result
  }

  @Test(
    "A watch uses a changed configuration, whether the file was written in place or replaced",
    arguments: [false, true])
  func reads(isReplaced: Bool) throws {
    let instance = try TestInstance(channels: Self.channels)
    let watch = try watch(instance)
    if isReplaced {
      let old = try instance.directory.text("etc/bobbin.json5")
      try instance.configure(channels: Self.three)
      let new = try instance.directory.text("etc/bobbin.json5")
      try instance.directory.write("etc/bobbin.json5", old)
      try instance.directory.write("etc/new.json5", new)
      try instance.directory.rename("etc/new.json5", "etc/bobbin.json5")
    } else {
      try instance.configure(channels: Self.three)
    }
    try waitUntil("it was read") { watch.errorSoFar.contains(" info configuration read again ") }
    try instance.drop("a.json", "3")
    try waitUntil("it is done") { try instance.names("done") == ["a.json"] }
    _ = try stop(watch)
    #expect(try instance.ledger() == ["manual three a.json"])
  }

  @Test("A watch reads its configuration again at SIGHUP, and goes on")
  func hangUp() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.directory.write(
      "etc/bobbin.json5", instance.directory.text("etc/bobbin.json5"), age: .seconds(100))
    let watch = try watch(instance)
    for count in 1...2 {
      watch.signal(SIGHUP)
      try waitUntil("it was read") {
        watch.errorSoFar.split(separator: "\n").filter { $0.contains(" configuration read again ") }.count
          >= count
      }
    }
    #expect(watch.isRunning)
    try instance.drop("a.json", "1")
    try waitUntil("it is done") { try instance.names("done") == ["a.json"] }
    _ = try stop(watch)
  }

  @Test(
    "A watch reports a faulty configuration once and goes on with the one before, until the fault is corrected"
  )
  func faulty() throws {
    let instance = try TestInstance(channels: Self.channels)
    let watch = try watch(instance)
    try instance.configure(channels: Self.three, settings: "settel: 1,")
    try waitUntil("the fault is reported") {
      watch.errorSoFar.contains(" error configuration not read again")
    }
    try instance.drop("a.json", "1")
    try waitUntil("it is done") { try instance.names("done") == ["a.json"] }
    // More than a second, in which the file is checked again.
    try watch.waitForPolls(100)
    try instance.configure(channels: Self.three)
    try waitUntil("it was read") { watch.errorSoFar.contains(" info configuration read again ") }
    let result = try stop(watch)
    let reports = result.errorLines.filter { $0.contains(" error configuration not read again") }
    #expect(reports.count == 1)
    #expect(reports.first?.contains("the old one stays in force") == true)
    #expect(reports.first?.contains("settel") == true)
  }

  @Test(
    "A watch does not change its spool or its lock, and says that it must be started again",
    arguments: ["spool", "lock"])
  func restart(key: String) throws {
    let instance = try TestInstance(channels: Self.channels)
    let watch = try watch(instance)
    let text = try instance.directory.text("etc/bobbin.json5")
    try instance.directory.write(
      "etc/bobbin.json5",
      key == "spool"
        ? text.replacing(#"spool: "../spool""#, with: #"spool: "../other""#)
        : text.replacing("channels:", with: #"lock: "other.lock", channels:"#))
    try waitUntil("it is reported") { watch.errorSoFar.contains("a changed \"\(key)\" needs a restart") }
    try instance.drop("a.json", "1")
    try waitUntil("it is done") { try instance.names("done") == ["a.json"] }
    _ = try stop(watch)
    #expect(!instance.directory.exists("other"))
  }

  @Test("A watch that is draining finishes with the configuration with which it began")
  func betweenRuns() throws {
    let instance = try TestInstance(channels: Self.channels)
    let watch = try watch(instance)
    try instance.drop("a.json", "2")
    try instance.drop("b.json", "1")
    try instance.started.wait()
    try instance.configure(channels: #"{ id: 2, name: "held", command: ["handlers/hold"] },"#)
    watch.signal(SIGHUP)
    try watch.waitForPolls(1)
    try instance.release.pass()
    try waitUntil("it was read") { watch.errorSoFar.contains(" info configuration read again ") }
    #expect(try instance.names("done") == ["a.json", "b.json"])
    try instance.drop("c.json", "1")
    try waitUntil("the channel is not known any more") { try instance.names("failed") == ["c.json"] }
    _ = try stop(watch)
  }
}
