extension String {
  /// One word of a command for a shell, whatever is in it: for commands that a person is to copy, with names that
  /// somebody else has chosen.
  package var shellQuoted: String { "'" + map { $0 == "'" ? #"'\''"# : String($0) }.joined() + "'" }
}
