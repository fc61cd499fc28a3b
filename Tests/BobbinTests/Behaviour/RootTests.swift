import Foundation
import TestSupport
import Testing

/// Root in a spool that is another user's. Only root can make such a spool.
@Suite("Root", .alone, .enabled(if: geteuid() == 0))
struct RootTests {
  /// `daemon`, which every system has.
  private static let owner: uid_t = 1
  private static let writing = [
    ["run"], ["run", "--spool-only"], ["trigger", "demo"], ["trigger", "demo", "--queue"],
    ["cancel", "a.json"],
    ["cancel", "--all"], ["prune"], ["watch"],
  ]
  private static let reading = [
    ["run", "--dry-run"], ["status"], ["queue"], ["history"], ["log", "1"], ["check"],
  ]

  /// An instance with a trigger and a record, all of which belong to another user.
  private func instance() throws -> TestInstance {
    let instance = try TestInstance()
    #expect(try instance.bobbin("run").status == 0)
    try instance.drop("a.json")
    let files = try #require(FileManager.default.enumerator(atPath: instance.spool)).compactMap {
      $0 as? String
    }
    for file in [""] + files { #expect(lchown("\(instance.spool)/\(file)", Self.owner, 1) == 0) }
    return instance
  }

  @Test(
    "Root is refused in another user's spool before anything is written, and told what to type",
    arguments: writing)
  func refused(command: [String]) throws {
    let instance = try instance()
    let before = try instance.directory.tree("spool")
    let result = try instance.start(command).wait()
    #expect(result.status == 77)
    #expect(result.output == "")
    #expect(result.error.contains("the spool '\(instance.spool)' belongs to daemon"))
    let typed = "bobbin --config \(instance.configuration) \(command.joined(separator: " "))\n"
    #expect(result.error.hasSuffix(typed), "\(result.error)")
    #expect(
      result.error.contains(" Type: sudo -u daemon /")
        || result.error.contains(" Type: runuser -u daemon -- /"))
    #expect(try instance.directory.tree("spool") == before)
  }

  @Test("Root may read another user's spool", arguments: reading)
  func reads(command: [String]) throws {
    let instance = try instance()
    let before = try instance.directory.tree("spool")
    #expect(try instance.start(command).wait().status != 77)
    #expect(try instance.directory.tree("spool") == before)
  }

  @Test("The command that root is told works")
  func advice() throws {
    let instance = try instance()
    chmod(instance.directory.path, 0o755)
    chmod("\(instance.directory.path)/library", 0o777)
    let program = try instance.directory.path("bobbin")
    try FileManager.default.copyItem(atPath: Program.bobbin().path, toPath: program)
    let refusal = try Program("/usr/bin/env", ["BOBBIN_CONFIG=\(instance.configuration)", program, "prune"])
      .start(outputIn: instance.directory).wait()
    let command = try #require(refusal.error.split(separator: "Type: ").last)
    let result = try Program("/usr/bin/env", ["sh", "-c", String(command)]).start(
      outputIn: instance.directory
    ).wait()
    #expect(result.status == 0, "\(command): \(result)")
  }

  @Test("Root may work in a spool whose owner its user namespace does not know")
  func unknownOwner() throws {
    let instance = try instance()
    chmod(instance.spool, 0o777)
    for folder in ["done", "failed", "running", "expired", "rejected", "cancelled", "logs", "channels"] {
      try? FileManager.default.removeItem(atPath: "\(instance.spool)/\(folder)")
    }
    for file in ["history.jsonl", ".history-id", "scheduler.lock"] { unlink("\(instance.spool)/\(file)") }
    let result = try Program(
      "/usr/bin/env",
      [
        "unshare", "--user", "--map-root-user", try Program.bobbin().path, "--config", instance.configuration,
        "prune",
      ]
    ).start(outputIn: instance.directory).wait()
    #expect(result.status != 77 || !result.error.contains("belongs to"), "\(result)")
  }
}
