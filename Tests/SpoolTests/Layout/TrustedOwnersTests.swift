import Foundation
import Posix
import Spool
import TestSupport
import Testing

@Suite("The owners whose files are trusted", .alone)
struct TrustedOwnersTests {
  @Test(
    "Only the batch's user, the spool's owner and root are trusted",
    arguments: [(1000, true), (2000, true), (0, true), (3000, false)] as [(UInt32, Bool)])
  func owners(owner: UInt32, isTrusted: Bool) {
    #expect(TrustedOwners(user: 1000, spoolOwner: 2000).contains(owner) == isTrusted)
  }

  @Test("A trusted file has the expected kind and only one name")
  func kinds() throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("file")
    try scratch.write("linked")
    #expect(link("\(scratch.path)/linked", "\(scratch.path)/other") == 0)
    try scratch.directory("folder")
    let root = try Directory(path: scratch.path)
    let trusted = try TrustedOwners(in: root)
    func covers(_ name: String, _ kind: FileStatus.Kind) throws -> Bool {
      trusted.covers(try #require(try root.status(of: FileName(name))), kind)
    }
    #expect(try covers("file", .regular))
    #expect(try !covers("file", .directory))
    #expect(try !covers("linked", .regular))
    #expect(try covers("folder", .directory))
  }
}
