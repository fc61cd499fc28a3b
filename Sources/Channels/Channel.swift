/// An entry of the configuration: the command for one id and name.
package struct Channel: Sendable {
  /// From 1 to 2^53, unique.
  package let id: Int64
  /// Unique, never all digits, and fit to be the name of a directory.
  package let name: String
  /// What the command fetches; empty when the configuration does not say. Never begins with `-`.
  package let url: String
  /// The program, absolute if it was given with a `/`, otherwise searched for along PATH; then its arguments, with
  /// their placeholders. Never empty.
  package let command: [String]
  /// The most items that one job should fetch, from 1.
  package let limit: Int
  /// Whether scheduled runs include the channel.
  package let enabled: Bool
  /// When its scheduled job is due.
  package let recurrence: Recurrence
  /// How long it rests after a failure; twice as long after each further one in a row. Nil for not at all.
  package let backoff: Duration?
  /// How long a job may take; more than 0.
  package let timeout: Duration
  /// How long a job may go without writing anything; nil for as long as it likes.
  package let stall: Duration?
  /// The signal that asks a job to end.
  package let stopSignal: Int32
  /// How long a job has after that signal before SIGKILL.
  package let grace: Duration
  /// The wait between two attempts.
  package let retryDelay: Duration
  /// How often a job is tried when its failures are transient, from 1.
  package let attempts: Int
  /// The file mode creation mask of a job, at most `0o777`.
  package let umask: UInt32
  /// Variables that a job finds in its environment beside those of the batch, or in their place. None of them begins
  /// with `BOBBIN_`.
  package let environment: [String: String]
  /// Whether a job that was cut short is run again.
  package let rerun: Bool
  /// The exit statuses that are a success. Never empty.
  package let success: [Int32]
  /// What the lines that a job writes mean.
  package let output: OutputRules
  /// Where the channel's files go: `library/<name>`, absolute.
  package let directory: String

  /// The program and its arguments, with all placeholders replaced in one pass: a value that looks like a
  /// placeholder is not replaced itself.
  package func arguments() -> [String] {
    [command[0]]
      + command.dropFirst().map { argument in
        Placeholder.replace(in: argument) { placeholder in
          switch placeholder {
          case .id: String(id)
          case .name: name
          case .url: url
          case .dir: directory
          case .limit: String(limit)
          }
        }
      }
  }
}
