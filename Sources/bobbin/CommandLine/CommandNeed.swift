/// What a command needs before it runs.
enum CommandNeed {
  /// Signals end its waits: it records what it was doing.
  case signals
  /// It makes the spool directory if that is missing. Other commands then fail.
  case makesSpool
  /// It makes or moves files in the spool. Root is refused then if the spool is another user's.
  case writesSpool
}
