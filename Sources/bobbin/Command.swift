/// The commands, their options and their help.
enum Command: String, CaseIterable {
  case run, trigger, queue, cancel, prune, status, history, log, watch, check

  /// One option of a command.
  struct Option {
    enum Value {
      case none
      case required(String)
      /// The value may follow after a space when it looks like a duration, else after `=`.
      case optionalDuration
    }

    let name: String
    let value: Value
    let help: String
  }

  /// Understood by every command, before or after its name.
  static let common: [Option] = [
    Option(
      name: "config", value: .required("FILE"),
      help: "the configuration; see \"Configuration\" in bobbin --help"),
    Option(name: "json", value: .none, help: "one JSON document (or JSON lines) on stdout"),
    Option(name: "quiet", value: .none, help: "leave out what is no warning and no error"),
    Option(name: "help", value: .none, help: "this text"),
  ]

  var options: [Option] {
    switch self {
    case .run:
      [
        Option(name: "spool-only", value: .none, help: "leave the scheduled channels out"),
        Option(name: "dry-run", value: .none, help: "change nothing; print what would be done, in order"),
        Option(
          name: "wait", value: .required("D"), help: "how long to wait for a manual run to end (default 1h)"),
      ]
    case .trigger:
      [
        Option(name: "user", value: .required("NAME"), help: "who asks, for the history (default $USER)"),
        Option(name: "queue", value: .none, help: "only write the trigger, run nothing"),
        Option(
          name: "wait", value: .optionalDuration,
          help: "when queued, wait until it is done, at most D (default 1h)"),
      ]
    case .cancel: [Option(name: "all", value: .none, help: "every pending trigger")]
    case .history:
      [
        Option(name: "limit", value: .required("N"), help: "only the last N records (default 20; 0: all)"),
        Option(name: "channel", value: .required("C"), help: "only this channel, by id or name"),
        Option(name: "trigger", value: .required("NAME"), help: "only the trigger of this file name"),
      ]
    case .watch: [Option(name: "every", value: .required("D"), help: "how often to look (default 2s)")]
    case .queue, .prune, .status, .log, .check: []
    }
  }

  /// What follows the name: shown in the usage line.
  var operands: String {
    switch self {
    case .trigger: " CHANNEL"
    case .cancel: " TRIGGER… | --all"
    case .log: " ID"
    default: ""
    }
  }

  /// How many operands it takes.
  var operandCount: ClosedRange<Int> {
    switch self {
    case .trigger, .log: 1...1
    case .cancel: 0...Int.max
    default: 0...0
    }
  }

  var summary: String {
    switch self {
    case .run: "run the scheduled channels, then work off the spool"
    case .trigger: "ask for a channel to be downloaded now"
    case .queue: "list the pending triggers"
    case .cancel: "take pending triggers out"
    case .prune: "expire what is stale now, and remove old results"
    case .status: "say what is going on, and how every channel fared last"
    case .history: "list what was done, newest last"
    case .log: "print what a job wrote"
    case .watch: "poll the spool in the foreground and work it off"
    case .check: "validate the configuration and say what would run"
    }
  }

  private var details: String {
    switch self {
    case .run:
      """
      Takes the scheduler lock, finishes what a crashed run left, expires stale triggers, runs every enabled
      channel in the order of the configuration, and then works off the spool in the order of file names.
      If another run holds the lock it does nothing and exits with 75; it waits for a manual one.
      """
    case .trigger:
      """
      Writes a trigger durably. If no run is on, carries it out at once ("completed"); else answers "queued" with
      its position: the run that is on works it off after its scheduled channels. CHANNEL is an id or a name.
      --wait is about a queued trigger: one that is carried out at once takes as long as its job does.
      """
    case .queue:
      "Triggers run in the byte order of their file names. Shows who asked, when, and what will become of it."
    case .cancel: "Moves pending triggers to cancelled/. One that is already being run is not stopped."
    case .prune:
      """
      Moves triggers that are older than expire_after to expired/, with a warning for each, and removes results
      and logs that are older than keep_results. A run does the same by itself.
      """
    case .status:
      """
      Reads the lock, the spool and the history; never waits for a run and never disturbs one. Triggers that a
      killed run left claimed are neither pending nor lost: the next run recovers them.
      """
    case .history:
      "One record for each job, each trigger that was given up, and each run. ID is what bobbin log takes."
    case .log:
      "ID is the id of a job, as bobbin history shows it. Control characters are escaped on a terminal."
    case .watch:
      """
      Works off a trigger as soon as it has settled, until SIGTERM or SIGINT. Needs no inotify: a look at a spool
      that has not changed is one system call. Scheduled channels are left to bobbin run.
      """
    case .check:
      """
      Reports every fault of the configuration with its line, directories that are missing or have the wrong
      owner or mode, and programs that are not on PATH; then lists what a run would do, in order.
      """
    }
  }

  private var example: String {
    switch self {
    case .run: "*/15 * * * *  bobbin --quiet run           # a crontab line"
    case .trigger: "bobbin trigger cats --wait --json"
    case .queue: "bobbin queue --json | jq -r '.trigger'"
    case .cancel: "bobbin cancel 20260131T103000.000000Z-7.json"
    case .prune: "bobbin prune"
    case .status: "bobbin status --json | jq .state"
    case .history: "bobbin history --channel cats --limit 5"
    case .log: "bobbin log 12"
    case .watch: "bobbin watch --every 1s"
    case .check: "bobbin --config /etc/bobbin/bobbin.json5 check"
    }
  }

  var help: String {
    var text = "usage: bobbin \(rawValue)\(operands)"
    for option in options where !(self == .cancel && option.name == "all") {
      text += " [\(Self.usage(option))]"
    }
    text += "\n\n\(summary.prefix(1).uppercased())\(summary.dropFirst()).\n\n\(details)\n\nOptions:\n"
    for option in options + Self.common {
      let usage = Self.usage(option)
      text += "  \(usage)\(String(repeating: " ", count: max(1, 16 - usage.count)))\(option.help)\n"
    }
    return text + "\nExample:\n  \(example)\n"
  }

  private static func usage(_ option: Option) -> String {
    switch option.value {
    case .none: "--\(option.name)"
    case .required(let value): "--\(option.name) \(value)"
    case .optionalDuration: "--\(option.name) [D]"
    }
  }

  static var overview: String {
    var text = """
      bobbin: a batch processor fed by a spool directory

      usage: bobbin [--config FILE] COMMAND …

      Commands:

      """
    for command in allCases {
      text +=
        "  \(command.rawValue)\(String(repeating: " ", count: 9 - command.rawValue.count))\(command.summary)\n"
    }
    return text + """

      bobbin help COMMAND, or bobbin COMMAND --help, says more about a command. Every command takes --json and --quiet.

      Configuration: --config FILE, or $BOBBIN_CONFIG, or the first of ./etc/bobbin.json5,
      $XDG_CONFIG_HOME/bobbin/bobbin.json5 (~/.config when unset), /etc/bobbin/bobbin.json5.

      Durations (D) have a unit: 500ms, 30s, 15m, 2h, 7d, 1h30m.

      Exit status: 0 done · 1 something failed · 64 usage · 65 no such channel or trigger, or disabled ·
      73 cannot create · 74 input/output · 75 busy or no space, try again later · 77 permission ·
      78 configuration · 124 --wait ran out · 129/130/143 stopped by SIGHUP/SIGINT/SIGTERM

      """
  }
}
