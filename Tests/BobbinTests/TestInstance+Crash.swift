import Foundation
import TestSupport
import Testing

extension TestInstance {
  /// The folders of the spool in which a trigger ends.
  static let finalFolders = ["done", "failed", "expired", "rejected", "cancelled"]

  /// Kills a command while its job of the handler `hold` runs. The job lives on.
  func killInJob(_ arguments: String...) throws {
    let run = try start(arguments)
    try started.wait()
    run.signal(SIGKILL)
    #expect(try run.wait().status == -SIGKILL)
  }

  /// Makes a handler `crash` that kills its batch as SIGKILL does, in the given attempts.
  func makeCrashHandler(attempts: String) throws {
    try handler(
      "crash",
      """
      echo "$BOBBIN_TRIGGER $BOBBIN_ATTEMPT" >>../ledger
      case $BOBBIN_ATTEMPT in \(attempts)) kill -9 "$PPID" ;; esac
      """)
  }

  /// Runs until the batch is killed by its own job, and until that job is gone.
  func crashInJob() throws {
    #expect(try bobbin("run", "--spool-only").status == -SIGKILL)
    try waitUntil("the job has ended") { try !self.isLocked("channels/1.lock") }
  }
}
