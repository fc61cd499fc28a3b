import Channels

/// The help texts, made from what the commands say about themselves.
enum Help {
  /// The help of one command.
  static func text(of command: any Command.Type) -> String {
    var text = "usage: bobbin \(command.name)"
    if !command.operands.usage.isEmpty { text += " \(command.operands.usage)" }
    for option in command.options where !option.isInOperands { text += " [\(option.usage)]" }
    let summary = command.help.summary
    text +=
      "\n\n\(summary.prefix(1).uppercased())\(summary.dropFirst()).\n\n\(command.help.discussion)\n\nOptions:\n"
    for option in command.options + CommandOption.common {
      text += "  \(padded(option.usage, 16))\(option.help)\n"
    }
    return text + "\nExample:\n  \(command.help.example)\n"
  }

  static var overview: String {
    var text = """
      bobbin: a batch processor fed by a spool directory

      usage: bobbin [--config FILE] COMMAND …

      Commands:

      """
    for command in AllCommands.list { text += "  \(padded(command.name, 9))\(command.help.summary)\n" }
    return text + """

      bobbin help COMMAND, or bobbin COMMAND --help, says more about a command. Every command takes --json and --quiet.

      Configuration: --config FILE, or $BOBBIN_CONFIG, or the first of ./etc/bobbin.json5,
      $XDG_CONFIG_HOME/bobbin/bobbin.json5 (~/.config when unset), /etc/bobbin/bobbin.json5. For a system user (a uid
      from 1 to 999) /etc/bobbin/bobbin.json5 comes first.

      Durations (D) have a unit: 500ms, 30s, 15m, 2h, 7d, 1h30m.

      Exit status: 0 done · 1 something failed · 64 usage · 65 no such channel or trigger, or disabled ·
      73 cannot create · 74 input/output · 75 busy or no space, try again later · 77 permission ·
      78 configuration · 124 --wait ran out · 129/130/143 stopped by SIGHUP/SIGINT/SIGTERM

      """
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}
