/// The end of a command: a status for the shell and, unless it was printed already, a message for the user.
struct CommandFailure: Error {
  let status: ExitStatus
  /// Nil when everything has been said.
  let message: String?

  init(_ status: ExitStatus, _ message: String? = nil) {
    self.status = status
    self.message = message
  }
}
