package import Channels
package import Posix

/// One job to be run.
package struct Job: Sendable {
  /// The history id that its record will have.
  package let id: Int64
  package let run: Int64
  package let kind: JobKind
  package let channel: Channel
  /// The name of the trigger that asked for it; nil for a scheduled job.
  package let trigger: FileName?
  package let user: String?
  /// The number of the first attempt: above 1 when a crash cut earlier attempts short.
  package let firstAttempt: Int

  package init(
    id: Int64, run: Int64, kind: JobKind, channel: Channel, trigger: FileName? = nil, user: String? = nil,
    firstAttempt: Int = 1
  ) {
    self.id = id
    self.run = run
    self.kind = kind
    self.channel = channel
    self.trigger = trigger
    self.user = user
    self.firstAttempt = firstAttempt
  }
}
