/// How a request for a download is handled.
package struct SubmissionOptions: Sendable {
  package var user: String?
  /// Only writes the trigger, and runs nothing.
  package var isQueueOnly = false
  /// How long to wait for a queued trigger to be done; nil: not at all.
  package var wait: Duration?

  package init() {}
}
