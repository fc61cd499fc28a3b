import Foundation
import Posix

/// An instance of Bobbin for one test: a configuration, a spool, a library, handlers, and a ledger to which every job
/// adds a line.
package final class TestInstance: Sendable {
  package let directory: TemporaryDirectory
  /// Receives a line with the name of the channel whenever a job of the handler `hold` has begun.
  package let started: Gate
  /// Ends one job of the handler `hold` for each line that is passed through it.
  package let release: Gate

  /// - Parameters:
  ///   - channels: the entries of `channels` in JSON5; nil means one channel `demo`, which adds its jobs to the ledger.
  ///   - settings: more keys of the top level, each followed by a comma.
  package init(channels: String? = nil, settings: String = "") throws {
    directory = try TemporaryDirectory()
    started = try Gate(try directory.path("gates/started"))
    release = try Gate(try directory.path("gates/release"))
    for folder in ["spool", "library"] {
      let path = "\(directory.path)/\(folder)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      // Whatever the umask is: others who can write there are a fault that `bobbin check` reports.
      chmod(path, 0o755)
    }
    try configure(
      channels: channels ?? #"{ id: 1, name: "demo", command: ["handlers/note"] }"#, settings: settings)
    let entry = #"echo "$BOBBIN_KIND $BOBBIN_CHANNEL ${BOBBIN_TRIGGER:--}" >>../ledger"#
    // Each job prints one item.
    try handler("note", "\(entry)\necho item")
    try handler("fail", "\(entry)\necho 'no such video' >&2\nexit 3")
    // The job ends when the test releases it. A test that has ended closes the gate, which also ends the job.
    try handler(
      "hold",
      "\(entry)\necho \"$BOBBIN_CHANNEL\" >../gates/started\nread -r line <../gates/release\necho item")
  }

  /// Replaces the configuration.
  package func configure(channels: String, settings: String = "") throws {
    try directory.write(
      "etc/bobbin.json5",
      """
      {
        spool: "../spool", library: "../library",
        \(settings.contains("settle:") ? "" : #"settle: "0","#) \(settings)
        channels: [
          \(channels)
        ],
      }

      """)
  }

  /// Makes an executable shell script `etc/handlers/<name>`. It runs in `etc/`, so that `../ledger` is the ledger.
  package func handler(_ name: String, _ script: String) throws {
    let file = try directory.write("etc/handlers/\(name)", "#!/bin/sh\n\(script)\n")
    chmod(file, 0o755)
  }

  package var configuration: String { "\(directory.path)/etc/bobbin.json5" }
  package var spool: String { "\(directory.path)/spool" }

  // MARK: - Bobbin

  /// Runs bobbin with this configuration to its end.
  package func bobbin(
    _ arguments: String..., environment: [String: String] = [:], within limit: Duration = .seconds(20)
  ) throws -> ProgramResult {
    try start(arguments, environment: environment).wait(limit)
  }

  /// Starts bobbin with this configuration in the background.
  package func start(_ arguments: String..., environment: [String: String] = [:]) throws -> RunningProgram {
    try start(arguments, environment: environment)
  }

  package func start(_ arguments: [String], environment: [String: String] = [:]) throws -> RunningProgram {
    try Program.bobbin().start(
      ["--config", configuration] + arguments, environment: environment, outputIn: directory)
  }

  // MARK: - The spool

  /// Drops a trigger, as `echo` does.
  package func drop(_ name: String, _ text: String = "1\n", age: Duration? = nil) throws {
    try directory.write("spool/\(name)", text, age: age)
  }

  /// The names in a folder of the spool, in byte order.
  package func names(_ folder: String) throws -> [String] { try directory.names(in: "spool/\(folder)") }

  /// The names of the pending triggers, in byte order.
  package func pending() throws -> [String] {
    try directory.names(in: "spool").filter { $0.hasSuffix(".json") }
  }

  /// The claimed files of all owners.
  package func claimed() throws -> [String] {
    try names("running").flatMap { try names("running/\($0)") }
  }

  /// The result document of a finished trigger.
  package func document(_ path: String) throws -> JSON { try JSON(try directory.text("spool/\(path)")) }

  /// All history records, in the order of the file.
  package func history() throws -> [JSON] {
    guard directory.exists("spool/history.jsonl") else { return [] }
    return try JSON.lines(try directory.text("spool/history.jsonl"))
  }

  /// The records of one trigger.
  package func records(of trigger: String) throws -> [JSON] {
    try history().filter { $0["trigger"].string == trigger }
  }

  /// The lines that the jobs wrote: `<kind> <channel> <trigger or ->`, in the order in which the jobs began.
  package func ledger() throws -> [String] {
    guard directory.exists("ledger") else { return [] }
    return try directory.text("ledger").split(separator: "\n").map(String.init)
  }

  package func clearLedger() throws { try directory.write("ledger") }

  /// Whether some process holds a lock file in the spool.
  package func isLocked(_ name: String) throws -> Bool {
    try FileLock.isHeld(FileName((name as NSString).lastPathComponent), in: lockFolder(name))
  }

  private func lockFolder(_ name: String) throws -> Directory {
    try Directory(path: ("\(spool)/\(name)" as NSString).deletingLastPathComponent)
  }
}
