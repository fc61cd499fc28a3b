import Foundation
import TestSupport
import Testing

/// The command of a channel while it runs. Its end is tested in `JobEndTests`.
@Suite("A job", .alone)
struct JobTests {
  @Test("A job does not inherit a capability that the service manager gave the batch for itself")
  func capabilities() throws {
    // Only root can hand one on.
    guard geteuid() == 0 else { return }
    let instance = try TestInstance(channels: #"{ id: 1, name: "a", command: ["handlers/show"] }"#)
    try instance.handler("show", "grep ^Cap /proc/$$/status")
    let bobbin = try instance.directory.path("bobbin")
    try FileManager.default.copyItem(atPath: Program.bobbin().path, toPath: bobbin)
    #expect(chown(instance.spool, 65_534, 65_534) == 0)
    #expect(chown("\(instance.directory.path)/library", 65_534, 65_534) == 0)
    chmod(instance.directory.path, 0o755)
    let lease = [
      "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all,+lease",
      "--inh-caps", "-all,+lease", "--ambient-caps", "-all,+lease", "--",
    ]
    func capabilities(_ command: [String]) throws -> String {
      let result = try Program("/usr/bin/setpriv", lease + command).start(outputIn: instance.directory).wait()
      #expect(result.status == 0, "\(result)")
      return result.output
    }
    #expect(try capabilities(["grep", "^Cap", "/proc/self/status"]).contains("CapEff:\t0000000010000000"))
    _ = try capabilities([bobbin, "--config", instance.configuration, "run"])
    let seen = try instance.directory.text("spool/logs/1.log")
    for name in ["CapPrm", "CapEff", "CapAmb"] {
      #expect(seen.contains("\(name):\t0000000000000000"), "\(seen)")
    }
  }

  @Test("A scheduled job gets its channel in the environment, and an empty trigger and user")
  func environment() throws {
    let instance = try TestInstance(
      channels: #"{ id: 12, name: "cats", url: "feed", limit: 5, command: ["handlers/show"] }"#)
    // Read from the kernel, because a shell hides a variable that is set twice.
    try instance.handler(
      "show",
      """
      tr '\\0' '\\n' </proc/$$/environ | grep -E '^(BOBBIN_|CALLER=)' | LC_ALL=C sort >../environment
      pwd >../directory
      """)
    // A job of a batch that is itself started by a job must not see the variables of that job.
    let run = try instance.bobbin(
      "run", environment: ["BOBBIN_TRIGGER": "outer", "BOBBIN_USER": "outer", "CALLER": "seen"])
    #expect(run.status == 0)
    #expect(
      try instance.directory.text("environment") == """
        BOBBIN_ATTEMPT=1
        BOBBIN_CHANNEL=cats
        BOBBIN_CHANNEL_ID=12
        BOBBIN_DIR=\(instance.directory.path)/library/cats
        BOBBIN_HISTORY_ID=1
        BOBBIN_KIND=scheduled
        BOBBIN_LIMIT=5
        BOBBIN_RUN=1
        BOBBIN_TRIGGER=
        BOBBIN_URL=feed
        BOBBIN_USER=
        CALLER=seen

        """)
    #expect(try instance.directory.text("directory") == "\(instance.directory.path)/etc\n")
    #expect(instance.directory.exists("library/cats"))
  }

  @Test("A channel adds variables to the environment of its jobs, and replaces those of the batch")
  func addedVariables() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "a", command: ["handlers/show"], env: { LANG: "de_DE", OWN: "{url} $HOME" } },
        { id: 2, name: "b", command: ["handlers/show"] },
        """, settings: #"defaults: { env: { LANG: "C", SHARED: "" } },"#)
    try instance.handler(
      "show", "tr '\\0' '\\n' </proc/$$/environ | grep -E '^(LANG|OWN|SHARED|CALLER)=' | LC_ALL=C sort")
    let run = try instance.bobbin("run", environment: ["LANG": "batch", "CALLER": "seen", "OWN": "batch"])
    #expect(run.status == 0)
    #expect(
      try instance.directory.text("spool/logs/1.log")
        == "CALLER=seen\nLANG=de_DE\nOWN={url} $HOME\nSHARED=\n")
    #expect(try instance.directory.text("spool/logs/2.log") == "CALLER=seen\nLANG=C\nOWN=batch\nSHARED=\n")
  }

  @Test("The placeholders in the arguments of a job are replaced once, even in a named command")
  func placeholders() throws {
    let instance = try TestInstance(
      channels: #"""
        { id: 3, name: "cats", url: "{dir}", command: "show", limit: 4 },
        """#,
      settings: #"""
        commands: { show: ["handlers/show", "{id}", "{name}-{limit}", "{url}", "{dir}/x", "{{id}}"] },
        """#)
    try instance.handler("show", #"printf '%s\n' "$@" >../arguments"#)
    #expect(try instance.bobbin("run").status == 0)
    #expect(
      try instance.directory.text("arguments") == """
        3
        cats-4
        {dir}
        \(instance.directory.path)/library/cats/x
        {3}

        """)
  }

  @Test(
    "A job has an empty input, its own session, and of the batch's descriptors only its channel's lock"
  )
  func isolation() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/inspect"] }"#)
    try instance.handler(
      "inspect",
      """
      cat >../input
      for d in /proc/$$/fd/*; do readlink "$d"; done >../descriptors
      cut -d' ' -f5,6,7 /proc/$$/stat >../group
      echo $$ >../process
      """)
    #expect(try instance.bobbin("run").status == 0)
    #expect(try instance.directory.text("input") == "")
    let files = try instance.directory.text("descriptors").split(separator: "\n").map(String.init)
    #expect(files.contains("/dev/null"))
    #expect(files.contains("\(instance.spool)/channels/1.lock"))
    let others = files.filter { file in
      file.hasPrefix(instance.directory.path)
        && !["/channels/1.lock", "/etc/handlers/inspect", "/descriptors"].contains { file.hasSuffix($0) }
    }
    #expect(others == [])
    let id = try instance.directory.text("process").dropLast()
    // Its own process group and session, without a controlling terminal. Reading from a terminal would stop the job.
    #expect(try instance.directory.text("group") == "\(id) \(id) 0\n")
  }

  @Test(
    "Each line on standard output that is not blank counts as one item",
    arguments: [
      (#"printf 'a\nb\n'"#, 2), (#"printf 'a\n\n \t\r\nb\n'"#, 2), (#"printf 'no newline'"#, 1), ("true", 0),
      ("echo x >&2", 0), (#"printf '%070000d\nb\n' 7"#, 2), (#"printf '\377\n'"#, 1),
    ])
  func items(script: String, count: Int) throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/talk"] }"#)
    try instance.handler("talk", script)
    #expect(try instance.bobbin("run", "--json").json["videos_downloaded"] == .number(Double(count)))
  }

  @Test(
    "A job fails with the last line on standard error as its likely cause, or with the signal that ended it")
  func causes() throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "a", command: ["handlers/error"] },
        { id: 2, name: "b", command: ["handlers/signal"] },
        { id: 3, name: "c", command: ["handlers/no-such"] },
        { id: 4, name: "d", command: ["no-such-program-anywhere"] },
        """)
    try instance.handler("error", "echo first >&2; echo the cause >&2; echo >&2; exit 4")
    try instance.handler("signal", "kill -SEGV $$")
    #expect(try instance.bobbin("run").status == 1)
    let records = try instance.history()
    try #require(records.count == 5)
    #expect(records[0]["error_message"] == "exit status 4: the cause")
    #expect(records[0]["exit_status"] == 4)
    #expect(records[1]["error_message"] == "ended by SIGSEGV")
    #expect(records[1]["signal"] == 11)
    #expect(records[1]["exit_status"] == nil)
    for record in records[2...3] {
      #expect(record["outcome"] == "failed")
      #expect(record["error_message"].string?.contains("No such file or directory") == true)
    }
  }

  @Test(
    "The message of a failed job is its last error, otherwise its last line with a letter that is not a warning",
    arguments: [
      ("ERROR: gone", ["ERROR: busy", "ERROR: gone", "WARNING: slow", "sent 3 bytes"]),
      ("fatal: gone", ["first", "fatal: gone", "WARNING: slow", "tool: warning: old", "╰────╯", "100 %"]),
      (nil, ["WARNING: slow", "====="]),
    ] as [(String?, [String])])
  func message(cause: String?, lines: [String]) throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/fails"] }"#)
    try instance.handler("fails", lines.map { "echo '\($0)' >&2" }.joined(separator: "\n") + "\nexit 4")
    #expect(try instance.bobbin("run").status == 1)
    let message = try instance.history().first?["error_message"]
    #expect(message == .string("exit status 4" + (cause.map { ": \($0)" } ?? "")))
  }

  @Test("The message of a job that took too long says its time limit and quotes no line")
  func timeoutMessage() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/slow"], timeout: "300ms" }"#)
    try instance.handler("slow", "echo 'all is well' >&2\nread -r line <../gates/release")
    #expect(try instance.bobbin("run").status == 1)
    #expect(try instance.history().first?["error_message"] == "not finished after 300ms")
  }

  @Test("A line that an earlier attempt of the same job printed is not counted twice")
  func repeatedItems() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/try"], retry_delay: "1ms", attempts: 3 }"#)
    try instance.handler(
      "try",
      """
      case $BOBBIN_ATTEMPT in
      1) echo a; echo b; exit 75 ;;
      2) echo a; echo b; echo c; exit 75 ;;
      3) echo b; echo c; echo d; echo d ;;
      esac
      """)
    // Within one attempt each line is an item: a, b, c, d, d.
    #expect(try instance.bobbin("run", "--json").json["videos_downloaded"] == 5)
  }

  @Test("The log of a long output keeps both ends and says what is left out, and the job goes on")
  func logLimit() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/talk"] }"#)
    try instance.handler(
      "talk", "echo first; head -c 5000000 /dev/zero | tr '\\0' 'x'; echo; echo last; echo end >../end")
    #expect(try instance.bobbin("run", "--json").json["videos_downloaded"] == 3)
    #expect(instance.directory.exists("end"))
    let log = try instance.directory.text("spool/logs/1.log")
    #expect(log.hasPrefix("first\nxxx"))
    #expect(log.hasSuffix("xxx\nlast\n"))
    #expect(log.contains(" bytes are left out here]\n"))
    #expect(log.utf8.count < 4 << 20 + 100)
  }

  @Test(
    "A job is tried again after exit status 75 or a matching line on standard error",
    arguments: [
      ("exit 75", "", 2), ("echo 'HTTP Error 503: busy' >&2; exit 1", "", 2),
      ("echo 'HTTP Error 404: gone' >&2; exit 1", "", 1), ("exit 1", "", 1),
      ("echo 'HTTP Error 503'; exit 1", "", 1), ("exit 75", "attempts: 4,", 4),
      ("exit 75", "attempts: 1,", 1), ("exit 75", "rerun: false,", 1),
    ])
  func transient(script: String, settings: String, attempts: Int) throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "demo", command: ["handlers/try"], \(settings) retry_delay: "1ms",
          transient: ["HTTP Error (429|5[0-9][0-9])"] },
        """)
    try instance.handler("try", "echo \"$BOBBIN_ATTEMPT\" >>../ledger\n\(script)")
    let run = try instance.bobbin("run")
    #expect(run.status == 1)
    #expect(try instance.ledger() == (1...attempts).map { String($0) })
    #expect(try instance.history().first?["attempt"] == .number(Double(attempts)))
    let warnings = run.errorLines.filter { $0.contains(" warning job failed for a transient reason") }
    #expect(warnings.count == attempts - 1)
  }

  @Test("A job that succeeds at the second attempt has succeeded, with one record and one log")
  func secondAttempt() throws {
    let instance = try TestInstance(
      channels: #"{ id: 1, name: "demo", command: ["handlers/try"], retry_delay: "1ms" }"#)
    try instance.handler("try", "echo \"item $BOBBIN_ATTEMPT\"; [ \"$BOBBIN_ATTEMPT\" = 2 ] || exit 75")
    #expect(try instance.bobbin("run").status == 0)
    let jobs = try instance.history().filter { $0["kind"] == "scheduled" }
    #expect(jobs.count == 1)
    #expect(jobs.first?["outcome"] == "succeeded")
    #expect(jobs.first?["error_message"] == .some(.null))
    #expect(try instance.directory.text("spool/logs/1.log") == "item 1\nitem 2\n")
  }

  @Test("A job does not get the descriptors that the batch inherited from its caller")
  func foreignDescriptors() throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "demo", command: ["handlers/inspect"] }"#)
    try instance.handler("inspect", "[ ! -e /proc/$$/fd/9 ] && echo item")
    let run = try Program(
      "/bin/sh", ["-c", "exec 9>\"$1/nine\"; exec \"$2\" --config \"$3\" run --json", "sh"]
    ).start(
      [instance.directory.path, try Program.bobbin().path, instance.configuration],
      outputIn: instance.directory
    ).wait()
    #expect(run.status == 0)
    #expect(try run.json["videos_downloaded"] == 1)
  }

  @Test(
    "The umask of a job is that of its channel, and Bobbin's own files have their modes, whoever starts the batch",
    arguments: ["000", "027", "077"])
  func umask(caller: String) throws {
    let instance = try TestInstance(
      channels: """
        { id: 1, name: "a", command: ["handlers/mask"] },
        { id: 2, name: "b", command: ["handlers/mask"], umask: "0007" },
        """)
    try instance.handler("mask", "umask >>../ledger; echo item")
    let run = try Program("/bin/sh", ["-c", "umask \(caller); exec \"$@\"", "sh"]).start(
      [try Program.bobbin().path, "--config", instance.configuration, "run"], outputIn: instance.directory
    ).wait()
    #expect(run.status == 0)
    #expect(try instance.ledger() == ["0022", "0007"])
    func mode(_ path: String) throws -> Int {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(instance.directory.path)/\(path)")
      return attributes[.posixPermissions] as? Int ?? 0
    }
    for (path, expected) in [
      ("spool/history.jsonl", 0o640), ("spool/logs/1.log", 0o640), ("spool/scheduler.lock", 0o600),
      ("spool/channels/1.lock", 0o600), ("spool/done", 0o750), ("spool/logs", 0o750), ("library/a", 0o755),
      ("library/b", 0o770),
    ] {
      #expect(try mode(path) == expected, "\(path)")
    }
  }
}
