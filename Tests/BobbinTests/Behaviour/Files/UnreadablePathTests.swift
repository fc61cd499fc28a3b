import Foundation
import TestSupport
import Testing

/// Paths that this user may not examine. Such a path is not known to be missing.
@Suite("A path that may not be examined", .alone)
struct OutOfReachTests {
  /// An instance with `what` in its folder `closed`, which belongs to another user or may not be entered by its owner.
  private func instance(closed what: String) throws -> TestInstance {
    let instance = try TestInstance()
    _ = try instance.directory.path("closed/\(what)/x")
    chmod("\(instance.directory.path)/closed", geteuid() == 0 ? 0o700 : 0)
    return instance
  }

  private func open(_ instance: TestInstance) { chmod("\(instance.directory.path)/closed", 0o700) }

  @Test(
    "A spool that may not be examined is not taken for missing, and the status is 77",
    arguments: [["status"], ["queue"], ["history"], ["run", "--dry-run"], ["check"]])
  func spool(command: [String]) throws {
    let instance = try instance(closed: "spool")
    defer { open(instance) }
    try instance.directory.write(
      "etc/bobbin.json5",
      #"{ spool: "../closed/spool", library: "../closed/library", channels: [ { id: 1, name: "a", command: ["true"] } ] }"#
    )
    let result = try UnprivilegedProgram(in: instance).start(command).wait()
    #expect(result.status == 77, "\(result)")
    #expect(result.error.contains("closed/spool': Permission denied"), "\(result)")
    #expect(!result.error.contains("missing"))
    #expect(!result.error.contains("there is no spool"))
  }

  @Test("A configuration that may not be examined is not skipped, and the status is 77")
  func configuration() throws {
    let instance = try instance(closed: "bobbin")
    defer { open(instance) }
    let program = try UnprivilegedProgram(in: instance)
    let result = try program.start(
      ["status"], environment: ["XDG_CONFIG_HOME": "\(instance.directory.path)/closed"], isConfigured: false
    ).wait()
    #expect(result.status == 77, "\(result)")
    #expect(result.error.contains("closed/bobbin/bobbin.json5': Permission denied"), "\(result)")
  }

  @Test("The check reports a configuration that may not be examined as a fault of permission")
  func checkConfiguration() throws {
    let instance = try TestInstance()
    let program = try UnprivilegedProgram(in: instance)
    chmod(instance.configuration, geteuid() == 0 ? 0o600 : 0)
    defer { chmod(instance.configuration, 0o644) }
    let result = try program.start(["check", "--json"]).wait()
    #expect(result.status == 77)
    let problem = try result.json["problems"][0]
    #expect(problem["kind"] == "permission")
    #expect(problem["remedy"] == "run it as a user who may read it, or name another with --config FILE")
    #expect(
      result.error.contains(
        "bobbin.json5': Permission denied (run it as a user who may read it, or name another with --config FILE)"
      ))
  }
}
