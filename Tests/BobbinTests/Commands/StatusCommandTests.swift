import Foundation
import Posix
import TestSupport
import Testing

@Suite("The status", .alone)
struct StatusCommandTests {
  static let channels = """
    { id: 1, name: "demo", command: ["handlers/note"] },
    { id: 2, name: "held", command: ["handlers/hold"] },
    { id: 3, name: "bad", command: ["handlers/fail"], enabled: false },
    """

  @Test("The holder of the lock is known although /proc hides it, or shows another name of the boot")
  func hiddenHolder() throws {
    // Only root can mount.
    guard geteuid() == 0 else { return }
    let instance = try TestInstance(channels: Self.channels)
    let bobbin = try instance.directory.path("bobbin")
    try FileManager.default.copyItem(atPath: Program.bobbin().path, toPath: bobbin)
    chmod(instance.directory.path, 0o755)
    let id = "00000000-0000-0000-0000-000000000000"
    try instance.directory.write("boot_id", "\(id)\n")
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    // Of root, whose process another user does not see then.
    let run = try instance.start("run")
    try instance.started.wait()
    let changed = try Program("/bin/chown", ["-R", "65534:65534", instance.spool])
      .start(outputIn: instance.directory).wait()
    #expect(changed.status == 0)
    // Each in a mount namespace of its own. The second is what a container, or a unit in one, may see.
    for mounts in [
      "mount -t proc -o hidepid=invisible proc /proc",
      "mount --bind '\(instance.directory.path)/boot_id' /proc/sys/kernel/random/boot_id",
      """
      mount -t proc -o hidepid=invisible proc /proc &&
      mount --bind '\(instance.directory.path)/boot_id' /proc/sys/kernel/random/boot_id
      """,
    ] {
      let script = """
        \(mounts) && exec setpriv --reuid 65534 --regid 65534 --clear-groups -- \
          '\(bobbin)' --config '\(instance.configuration)' status --json
        """
      let status = try Program("/usr/bin/env", ["unshare", "--mount", "sh", "-c", script])
        .start(outputIn: instance.directory).wait()
      #expect(status.status == 0, "\(status)")
      #expect(try status.json["state"] == "running")
      #expect(try status.json["holder"]["pid"] == .number(Double(run.id)), "\(mounts): \(status)")
      #expect(try status.json["job"]["channel"] == "held")
    }
    try instance.release.pass()
    #expect(try run.wait().status == 0)
  }

  @Test("The status of an instance that never ran is idle, with nothing known")
  func neverRan() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json")
    let status = try instance.bobbin("status", "--json")
    #expect(status.status == 0)
    #expect(
      try status.json == [
        "state": "idle", "holder": nil, "job": nil, "pending": 1, "abandoned": 0, "last_run": nil,
        "channels": [
          ["id": 1, "name": "demo", "enabled": true, "next_at": nil, "last": nil],
          ["id": 2, "name": "held", "enabled": true, "next_at": nil, "last": nil],
          ["id": 3, "name": "bad", "enabled": false, "next_at": nil, "last": nil],
        ],
      ])
    let human = try instance.bobbin("status").outputLines
    #expect(human.prefix(3) == ["idle", "pending triggers: 1", "last run: none"])
    #expect(human.last?.hasPrefix("3        bad (disabled)  -") == true)
  }

  @Test("The status during a job says who holds the lock and which job is running")
  func running() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json", #"{"channel":"held","user":"anna"}"#)
    try instance.drop("b.json")
    let run = try instance.start("run", "--spool-only")
    try instance.started.wait()
    // A job is in the note once it counts as long-running.
    try waitUntil("the job is noted") {
      try instance.bobbin("status", "--json").json["job"] != nil
    }
    let status = try instance.bobbin("status", "--json").json
    #expect(status["state"] == "running")
    #expect(status["pending"] == 1)
    #expect(status["holder"].names == ["host", "job", "kind", "owner", "pid", "run", "started_at"])
    #expect(status["holder"]["kind"] == "manual")
    #expect(status["holder"]["pid"] == .number(Double(run.id)))
    #expect(status["holder"]["run"] == 1)
    #expect(status["job"].names == ["channel", "id", "started_at", "trigger"])
    #expect(status["job"]["channel"] == "held")
    #expect(status["job"]["trigger"] == "a.json")
    let human = try instance.bobbin("status").output
    #expect(human.hasPrefix("running: manual run (process \(run.id) on "))
    #expect(human.contains("channel held, trigger a.json, since "))
    try instance.release.pass()
    #expect(try run.wait().status == 0)

    let after = try instance.bobbin("status", "--json").json
    #expect(after["state"] == "idle")
    #expect(after["holder"] == nil)
    #expect(after["last_run"]["outcome"] == "succeeded")
    #expect(after["channels"].elements.map { $0["last"]["outcome"] } == ["succeeded", "succeeded", nil])
  }

  @Test(
    "The status has the last job of every channel, even if another channel was removed from the configuration"
  )
  func formerChannel() throws {
    let channels = (1...3).map { #"{ id: \#($0), name: "c\#($0)", command: ["true"] }"# }
    let instance = try TestInstance(channels: channels.joined(separator: ", "))
    #expect(try instance.bobbin("run").status == 0)
    try instance.configure(channels: channels.prefix(2).joined(separator: ", "))
    let status = try instance.bobbin("status", "--json").json
    #expect(status["channels"].elements.map { $0["last"]["id"] } == [1, 2])
  }

  @Test("The note of a dead run is not taken for an active run")
  func deadHolder() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json", "2")
    try instance.killInJob("run", "--spool-only")
    #expect(try instance.bobbin("status", "--json").json["state"] == "idle")
  }

  @Test("The status counts the triggers that a killed run left, until a run has recovered them")
  func leftByKilledRun() throws {
    let instance = try TestInstance(channels: Self.channels)
    try instance.drop("a.json", "2")
    try instance.killInJob("run", "--spool-only")
    let status = try instance.bobbin("status", "--json").json
    #expect(status["abandoned"] == 1)
    #expect(status["pending"] == 0)
    let line = "left by a killed process: 1 trigger; the next run recovers it"
    #expect(try instance.bobbin("status").outputLines.contains(line))

    try instance.release.pass()
    try waitUntil("the orphan has ended") { try !instance.isLocked("channels/2.lock") }
    let next = try instance.start("run", "--spool-only")
    try instance.started.wait()
    #expect(try !instance.bobbin("status").output.contains("killed process"))
    try instance.release.pass()
    #expect(try next.wait().status == 0)
    #expect(try instance.bobbin("status", "--json").json["abandoned"] == 0)
  }

  @Test("The status does not say which run will recover abandoned triggers while the lock is held")
  func leftWhileLocked() throws {
    let instance = try TestInstance(channels: Self.channels)
    for name in ["5.1.a.json", "6.expired.b.json"] {
      // Claims of a process from an earlier boot.
      try instance.directory.write("spool/running/0123456789ab-1-77-5/\(name)", "2")
    }
    let lock = try Directory(path: instance.spool).lock("scheduler.lock")
    let lines = try instance.bobbin("status").outputLines
    #expect(
      lines.contains("left by a killed process: 2 triggers; the active run, or the next, recovers them"))
    #expect(try lock.isStillInPlace())
  }
}
