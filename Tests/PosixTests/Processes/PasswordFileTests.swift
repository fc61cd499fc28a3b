import Posix
import Testing

@Suite("The name of a user")
struct UserNameTests {
  @Test("The name of a user is what the machine's user database says; nil for a number that nobody has")
  func names() {
    #expect(PasswordFile.userName(0) == "root")
    #expect(PasswordFile.userName(4_000_000_123) == nil)
  }
}
