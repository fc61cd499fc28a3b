import Testing
import Text

@Suite("Words for a shell")
struct ShellQuotingTests {
  @Test(
    "Text in quotes is one word, whatever is in it",
    arguments: [
      ("cats.json", "'cats.json'"), ("", "''"), ("a b; $(c)", "'a b; $(c)'"), ("it's", #"'it'\''s'"#),
      ("''", #"''\'''\'''"#),
    ])
  func quoted(text: String, word: String) { #expect(text.shellQuoted == word) }
}
