import Foundation
import TestSupport
import Testing

extension TestInstance {
  /// The folders of the spool in which a trigger ends.
  static let finalFolders = ["done", "failed", "expired", "rejected", "cancelled"]

  /// Kills a command while its job of the handler `hold` runs. The job keeps running.
  func killInJob(_ arguments: String...) throws {
    let run = try start(arguments)
    try started.wait()
    run.signal(SIGKILL)
    #expect(try run.wait().status == -SIGKILL)
  }

  /// Makes a handler `crash` that kills its batch with SIGKILL in the given attempts.
  func makeCrashHandler(attempts: String) throws {
    try handler(
      "crash",
      """
      echo "$BOBBIN_TRIGGER $BOBBIN_ATTEMPT" >>../ledger
      case $BOBBIN_ATTEMPT in \(attempts)) kill -9 "$PPID" ;; esac
      """)
  }

  /// Runs the batch until its own job kills it, and waits until that job has ended.
  func crashInJob() throws {
    #expect(try bobbin("run", "--spool-only").status == -SIGKILL)
    try waitUntil("the job has ended") { try !self.isLocked("channels/1.lock") }
  }
}
