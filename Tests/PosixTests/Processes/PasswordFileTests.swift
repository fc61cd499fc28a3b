import Glibc
import Posix
import Testing

@Suite("The files of users and groups")
struct PasswordFileTests {
  @Test("The name of a user comes from the machine's user database, and is nil for an unknown number")
  func names() {
    #expect(PasswordFile.userName(0) == "root")
    #expect(PasswordFile.userName(4_000_000_123) == nil)
  }

  @Test("The home of a user is what the machine's user database says; nil for a number that nobody has")
  func homes() throws {
    for user: UInt32 in [0, 1] {
      let entry = try #require(getpwuid(user))
      #expect(PasswordFile.home(of: user) == String(cString: entry.pointee.pw_dir))
    }
    #expect(PasswordFile.home(of: 4_000_000_123) == nil)
  }

  @Test(
    "A system user is one with a number below those of people, and not root",
    arguments: [(0, false), (1, true), (999, true), (1_000, false), (65_534, false)] as [(UInt32, Bool)])
  func systemUsers(user: UInt32, isSystem: Bool) { #expect(PasswordFile.isSystemUser(user) == isSystem) }

  @Test("A group is shared when it is another user's, or unknown, unless it is this process's own")
  func shared() {
    // `daemon` has a group of its own on every machine, with its own number.
    #expect(PasswordFile.isShared(group: 1, besides: 0))
    #expect(!PasswordFile.isShared(group: 1, besides: 1))
    #expect(PasswordFile.isShared(group: 4_000_000_123, besides: 1))
  }
}
