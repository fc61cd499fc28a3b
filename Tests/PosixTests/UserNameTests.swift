import Posix
import Testing

@Suite("the name of a user")
struct UserNameTests {
  @Test("is what the machine's user database says; nil for a number that nobody has")
  func names() {
    #expect(UserName.of(0) == "root")
    #expect(UserName.of(4_000_000_123) == nil)
  }
}
