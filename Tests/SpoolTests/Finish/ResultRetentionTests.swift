import Foundation
import Posix
import Spool
import TestSupport
import Testing

@Suite("The retention of results", .alone)
struct TidyingTests {
  private let directory: TemporaryDirectory
  private let store: SpoolStore

  init() throws {
    directory = try TemporaryDirectory()
    store = try SpoolStore(SpoolDirectory(path: directory.path))
  }

  private func tidy(keeping: Duration?, now: Timestamp = .now()) throws -> Int {
    try ResultRetention(store: store, keepResults: keeping, now: now).perform()
  }

  private func status(_ folder: SpoolFolder, _ name: String) throws -> FileStatus {
    try #require(try store[folder].status(of: FileName(name)))
  }

  @Test(
    "A result is kept for exactly the configured time",
    arguments: [
      SpoolFolder.done, .failed, .logs,
    ])
  func results(folder: SpoolFolder) throws {
    try directory.write("\(folder.rawValue)/a.json")
    let expiry = try status(folder, "a.json").modified + .seconds(60)
    #expect(try tidy(keeping: .seconds(60), now: expiry) == 0)
    #expect(directory.exists("\(folder.rawValue)/a.json"))
    #expect(try tidy(keeping: .seconds(60), now: expiry + .nanoseconds(1)) == 1)
    #expect(!directory.exists("\(folder.rawValue)/a.json"))
  }

  @Test(
    "The age of a retired file counts from its retirement, not from its modification time",
    arguments: [
      SpoolFolder.expired, .rejected, .cancelled,
    ])
  func retired(folder: SpoolFolder) throws {
    try directory.write("\(folder.rawValue)/a.json", age: .seconds(86_400))
    let expiry = try status(folder, "a.json").changed + .seconds(60)
    #expect(try tidy(keeping: .seconds(60), now: expiry) == 0)
    #expect(try tidy(keeping: .seconds(60), now: expiry + .nanoseconds(1)) == 1)
    #expect(!directory.exists("\(folder.rawValue)/a.json"))
  }

  @Test("Results can be kept forever, but temporary files are not")
  func forEver() throws {
    try directory.write("done/a.json", age: .seconds(100 * 86_400))
    try directory.write("done/.bobbin-1-2-3", age: .seconds(37 * 3_600))
    #expect(try tidy(keeping: nil) == 1)
    #expect(directory.exists("done/a.json"))
    #expect(!directory.exists("done/.bobbin-1-2-3"))
  }

  @Test(
    "Bobbin's own temporary files are removed after 36 hours, and other files are not",
    arguments: ["", "done/", "failed/"])
  func temporaries(folder: String) throws {
    try directory.write("\(folder).bobbin-old", age: .seconds(36 * 3_600 + 5))
    try directory.write("\(folder).bobbin-new", age: .seconds(36 * 3_600 - 60))
    try directory.write("\(folder).other", age: .seconds(100 * 86_400))
    #expect(try tidy(keeping: nil) == 1)
    #expect(!directory.exists("\(folder).bobbin-old"))
    #expect(directory.exists("\(folder).bobbin-new"))
    #expect(directory.exists("\(folder).other"))
  }

  @Test("Triggers, claims, locks and the history are not removed")
  func neverTouched() throws {
    let files = [
      "a.json", "running/owner/1.1.a.json", "channels/1.lock", "history.jsonl", ".history-id",
      "scheduler.lock",
    ]
    for file in files { try directory.write(file, "x", age: .seconds(100 * 86_400)) }
    #expect(try tidy(keeping: .zero, now: .now() + .seconds(86_400)) == 0)
    for file in files { #expect(directory.exists(file)) }
  }

  @Test("A rejected directory is removed if it is empty, and is left to its owner if it has content")
  func rejectedDirectories() throws {
    try directory.write("rejected/full.json/precious")
    #expect(mkdir("\(directory.path)/rejected/empty.json", 0o755) == 0)
    #expect(try tidy(keeping: .zero, now: .now() + .seconds(86_400)) == 1)
    #expect(directory.exists("rejected/full.json/precious"))
    #expect(!directory.exists("rejected/empty.json"))
  }

  @Test("A rejected symbolic link is removed, and its target is not")
  func rejectedLink() throws {
    try directory.write("precious", "x")
    #expect(symlink("../precious", "\(directory.path)/rejected/link.json") == 0)
    #expect(try tidy(keeping: .zero, now: .now() + .seconds(86_400)) == 1)
    #expect(try directory.text("precious") == "x")
  }

  @Test("A file that cannot be removed stays, is reported, and does not keep other files from being removed")
  func immovable() throws {
    for folder in SpoolFolder.allCases { try directory.write("\(folder.rawValue)/a.json") }
    // Only `done`, the first of the folders that are cleaned up, belongs to another user.
    for folder in SpoolFolder.allCases where folder != .done {
      chown("\(directory.path)/\(folder.rawValue)", 1, 1)
    }
    chmod("\(directory.path)/done", 0o755)
    chmod(directory.path, 0o777)
    let later = Timestamp.now() + .seconds(3_600)
    try asOrdinaryUser {
      let error = #expect(throws: SystemError.self) { try tidy(keeping: .seconds(60), now: later) }
      #expect(error?.description.contains("done/a.json") == true)
    }
    #expect(directory.exists("done/a.json"))
    for folder in [SpoolFolder.failed, .logs, .expired, .rejected, .cancelled] {
      #expect(!directory.exists("\(folder.rawValue)/a.json"))
    }
  }
}
