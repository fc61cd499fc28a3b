import Foundation
import Posix
import Spool
import TestSupport
import Testing

@Suite("Tidying a spool", .alone)
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
    "Tidying a spool keeps a result for exactly as long as it is to be kept",
    arguments: [
      SpoolFolder.done, .failed, .logs,
    ])
  func results(folder: SpoolFolder) throws {
    try directory.write("\(folder.rawValue)/a.json")
    let moment = try status(folder, "a.json").modified + .seconds(60)
    #expect(try tidy(keeping: .seconds(60), now: moment) == 0)
    #expect(directory.exists("\(folder.rawValue)/a.json"))
    #expect(try tidy(keeping: .seconds(60), now: moment + .nanoseconds(1)) == 1)
    #expect(!directory.exists("\(folder.rawValue)/a.json"))
  }

  @Test(
    "Tidying a spool counts the age of a file that was retired from when it came there, not from its own time",
    arguments: [
      SpoolFolder.expired, .rejected, .cancelled,
    ])
  func givenUp(folder: SpoolFolder) throws {
    try directory.write("\(folder.rawValue)/a.json", age: .seconds(86_400))
    let moment = try status(folder, "a.json").changed + .seconds(60)
    #expect(try tidy(keeping: .seconds(60), now: moment) == 0)
    #expect(try tidy(keeping: .seconds(60), now: moment + .nanoseconds(1)) == 1)
    #expect(!directory.exists("\(folder.rawValue)/a.json"))
  }

  @Test("Tidying a spool keeps results for ever when told so, but not temporary files")
  func forEver() throws {
    try directory.write("done/a.json", age: .seconds(100 * 86_400))
    try directory.write("done/.bobbin-1-2-3", age: .seconds(37 * 3_600))
    #expect(try tidy(keeping: nil) == 1)
    #expect(directory.exists("done/a.json"))
    #expect(!directory.exists("done/.bobbin-1-2-3"))
  }

  @Test(
    "Tidying a spool removes its own temporary files after 36 hours, and nobody else's",
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

  @Test("Tidying a spool never touches triggers, claims, locks or the history")
  func neverTouched() throws {
    let files = [
      "a.json", "running/owner/1.1.a.json", "channels/1.lock", "history.jsonl", ".history-id",
      "scheduler.lock",
    ]
    for file in files { try directory.write(file, "x", age: .seconds(100 * 86_400)) }
    #expect(try tidy(keeping: .zero, now: .now() + .seconds(86_400)) == 0)
    for file in files { #expect(directory.exists(file)) }
  }

  @Test("Tidying a spool leaves a rejected directory with content to its owner, and removes an empty one")
  func rejectedDirectories() throws {
    try directory.write("rejected/full.json/precious")
    #expect(mkdir("\(directory.path)/rejected/empty.json", 0o755) == 0)
    #expect(try tidy(keeping: .zero, now: .now() + .seconds(86_400)) == 1)
    #expect(directory.exists("rejected/full.json/precious"))
    #expect(!directory.exists("rejected/empty.json"))
  }

  @Test("Tidying a spool removes a rejected symbolic link, never what it leads to")
  func rejectedLink() throws {
    try directory.write("precious", "x")
    #expect(symlink("../precious", "\(directory.path)/rejected/link.json") == 0)
    #expect(try tidy(keeping: .zero, now: .now() + .seconds(86_400)) == 1)
    #expect(try directory.text("precious") == "x")
  }

  @Test("What cannot be removed keeps nothing else, is reported, and stays")
  func immovable() throws {
    for folder in SpoolFolder.allCases { try directory.write("\(folder.rawValue)/a.json") }
    // Of another user than the one who runs the test, and the first in the order of the directory.
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
