import Posix

/// The exit statuses for the shell, cron and systemd. The numbers come from sysexits.h and timeout(1).
enum ExitStatus: Int32 {
  case done = 0
  /// A job failed, or something could not be carried out.
  case failed = 1
  case usage = 64
  /// The channel does not exist or is disabled, or the trigger does not exist.
  case notFound = 65
  // 71 is said before the program begins, where /proc is not mounted: see CLinux.c.
  case cannotCreate = 73
  case inputOutput = 74
  /// Another run is active, or there was no space before anything ran: try again later.
  case temporary = 75
  case permission = 77
  case configuration = 78
  /// `--wait` ran out.
  case timedOut = 124

  init(_ error: SystemError) {
    // A failed write to stdout or stderr says nothing about the spool.
    if error.isOutput {
      self = .inputOutput
      return
    }
    if error.isShortage {
      self = .temporary
      return
    }
    switch error.code {
    case .noSpace, .quota: self = .temporary
    case .accessDenied, .notPermitted, .readOnly: self = .permission
    // A fault of the set-up: a mount between the spool and one of its folders.
    case .crossDevice: self = .configuration
    case .noSuchFile, .notDirectory, .exists: self = .cannotCreate
    default: self = .inputOutput
    }
  }
}
