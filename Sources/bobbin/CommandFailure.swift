/// The end of a command: a status for the shell and, unless it was said already, a message for the person.
struct CommandFailure: Error {
  let status: ExitStatus
  /// Nil when everything has been said.
  let message: String?

  init(_ status: ExitStatus, _ message: String? = nil) {
    self.status = status
    self.message = message
  }
}
