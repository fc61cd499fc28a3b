import Posix
import Testing

@Suite("The name of a user")
struct UserNameTests {
  @Test("The name of a user comes from the machine's user database, and is nil for an unknown number")
  func names() {
    #expect(PasswordFile.userName(0) == "root")
    #expect(PasswordFile.userName(4_000_000_123) == nil)
  }
}
