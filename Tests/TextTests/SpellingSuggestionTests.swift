import TestSupport
import Testing
import Text

@Suite("What a word was meant to be", .alone)
struct NearestTests {
  static let cases: [(String, [String], String?)] = [
    ("timeot", ["timeout", "grace"], "timeout"), ("tiemout", ["timeout"], "timeout"),
    ("TIMEOUT", ["timeout"], "timeout"),
    ("retry-delay", ["retry_delay"], "retry_delay"), ("retrydelay", ["retry_delay"], "retry_delay"),
    ("timeout", ["timeout"], "timeout"), ("grase", ["timeout", "grace"], "grace"),
    ("enabeld", ["enabled"], "enabled"),
    // A third of the letters at most, and no resemblance between two letters.
    ("spool", ["poll"], nil), ("abcdef", ["abxyef"], "abxyef"), ("abcdef", ["axyzef"], nil),
    ("a", ["b"], nil),
    ("ab", ["ac"], "ac"), ("x", ["xy"], "xy"), ("", ["a"], nil), ("wibble", ["timeout", "grace"], nil),
    ("word", [], nil),
    // The nearest, and of equally near ones the first.
    ("cart", ["dart", "cast"], "dart"), ("cart", ["cast", "dart"], "cast"),
    ("limits", ["limbo", "limit"], "limit"),
    ("ärger", ["arger"], "arger"),
  ]

  @Test(
    "What a word was meant to be is the nearest of the candidates, or none when none is near",
    arguments: cases)
  func nearestOf(_ word: String, _ candidates: [String], _ expected: String?) {
    #expect(spellingSuggestion(for: word, among: candidates) == expected)
  }
}
