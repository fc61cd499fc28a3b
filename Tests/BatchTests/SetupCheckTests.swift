import Foundation
import Posix
import TestSupport
import Testing

@testable import Batch

/// Problems of files and directories around a configuration. `CheckCommandTests` tests modes and the program's output.
@Suite("The check of an instance", .alone)
struct SetupCheckTests {
  private func problems(_ instance: TestInstance) throws -> [SetupProblem] {
    SetupCheck(try instance.loadConfiguration()).problems()
  }

  @Test("The check does not report missing directories that a run would make")
  func fresh() throws {
    let instance = try TestInstance()
    #expect(try problems(instance) == [])
    #expect(rmdir(instance.spool) == 0)
    #expect(try problems(instance) == [])
  }

  @Test("Every problem has a remedy and names the path")
  func remedies() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "a", command: ["handlers/none"] }"#)
    chmod(instance.configuration, 0o666)
    chmod(instance.spool, 0o777)
    #expect(rmdir("\(instance.directory.path)/library") == 0)
    try instance.directory.write("library", "a file")
    try instance.directory.write("spool/failed", "a file")
    let reported = try problems(instance)
    #expect(reported.map(\.kind) == [.program, .permission, .permission, .missing, .missing])
    for problem in reported {
      #expect(problem.path.hasPrefix(instance.directory.path))
      #expect(!problem.message.isEmpty && !problem.remedy.isEmpty)
      #expect(
        problem.remedy.hasPrefix("move it") || problem.remedy.hasPrefix("rm '")
          || problem.remedy.contains("chmod "))
    }
  }

  @Test(
    "A remedy that is carried out as it is written solves the problem",
    arguments: [
      ("library", 0o777), ("spool/logs", 0o777), ("spool/scheduler.lock", 0o666), ("etc/bobbin.json5", 0o666),
    ])
  func remedyHelps(path: String, mode: UInt32) throws {
    let instance = try TestInstance()
    for folder in ["library", "spool/logs"] { _ = try instance.directory.path("\(folder)/x") }
    try instance.directory.write("spool/scheduler.lock")
    chmod("\(instance.directory.path)/spool/scheduler.lock", 0o600)
    #expect(try problems(instance) == [])
    #expect(chmod("\(instance.directory.path)/\(path)", mode) == 0)
    let problem = try #require(try problems(instance).first)
    let repair = try Program("/bin/sh", ["-c", problem.remedy]).start(outputIn: instance.directory).wait()
    #expect(repair.status == 0, "\(repair)")
    #expect(try problems(instance) == [])
  }

  @Test(
    "The check warns of a drop box in which the kernel does not say whether a submitter is still writing",
    arguments: [(0o3730, false, true), (0o3730, true, false), (0o755, false, false)] as [(UInt32, Bool, Bool)]
  )
  func leases(mode: UInt32, mayLease: Bool, warns: Bool) throws {
    let instance = try TestInstance(settings: #"settle: "2s","#)
    chmod(instance.spool, mode)
    let check = SetupCheck(
      try instance.loadConfiguration(), fileSystem: { _ in nil }, mayLeaseFilesOfOthers: mayLease)
    let warnings = check.warnings()
    #expect(warnings.count == (warns ? 1 : 0))
    if let warning = warnings.first {
      #expect(warning.message.hasSuffix("not changed for 2s, an empty or one-word file after 10s"))
      #expect(warning.remedy.contains("AmbientCapabilities=CAP_LEASE"))
    }
  }

  @Test("A link to a directory counts as the directory, as /var/spool may be one")
  func link() throws {
    let instance = try TestInstance()
    #expect(rename(instance.spool, "\(instance.directory.path)/elsewhere") == 0)
    #expect(symlink("elsewhere", instance.spool) == 0)
    #expect(try problems(instance) == [])
  }

  @Test("A spool below a file cannot be made")
  func belowFile() throws {
    let instance = try TestInstance(channels: "")
    try instance.directory.write("file")
    try instance.directory.write("etc/bobbin.json5", #"{ spool: "../file/spool", channels: [] }"#)
    let problem = try #require(try problems(instance).first)
    #expect(problem.kind == .missing)
    #expect(problem.message == "the spool is missing and cannot be made in \(instance.directory.path)/file")
  }

  @Test(
    "The file system of the spool is warned of, or refused where triggers can be lost",
    arguments: [
      ("ext4", 0, 0), ("fuse.mergerfs", 1, 0), ("nfs4", 1, 0), ("fuse.rclone", 0, 1), ("ecryptfs", 1, 0),
    ])
  func fileSystem(type: String, warnings: Int, faults: Int) throws {
    let instance = try TestInstance()
    let check = SetupCheck(try instance.loadConfiguration()) { _ in FileSystem(type: type) }
    #expect(check.warnings().count == warnings)
    #expect(check.problems().count == faults)
    for note in check.warnings() + check.problems() {
      #expect(note.kind == .fileSystem)
      #expect(note.path == instance.spool)
      #expect(note.message.hasPrefix("the spool is on \(type), where "))
      #expect(!note.remedy.isEmpty)
    }
  }

  @Test(
    "Where modes and owners are those of the mount, its options are the remedy, not chmod or chown",
    arguments: [
      ("vfat", "dmask=0022,fmask=0077"), ("exfat", "dmask=0022,fmask=0077"),
      ("cifs", "forceuid,dir_mode=0755,file_mode=0700"),
    ])
  func fixedModes(type: String, options: String) throws {
    let instance = try TestInstance()
    try instance.directory.write("etc/handlers/note")
    chmod("\(instance.directory.path)/etc/handlers/note", 0o644)
    chmod(instance.spool, 0o777)
    chmod(instance.configuration, 0o666)
    try instance.directory.write("spool/scheduler.lock")
    chmod("\(instance.spool)/scheduler.lock", 0o666)
    let found = SetupCheck(try instance.loadConfiguration()) { _ in FileSystem(type: type) }.problems()
    #expect(found.map(\.kind) == [.program, .permission, .permission, .permission])
    for problem in found {
      #expect(
        problem.remedy.hasSuffix(
          "modes and owners cannot be changed on \(type): mount it with"
            + " -o uid=\(geteuid()),\(options)"))
    }
  }

  @Test("Programs of disabled channels are not searched for")
  func disabled() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "a", command: ["no-such-program"], enabled: false }"#)
    #expect(try problems(instance) == [])
  }
}
