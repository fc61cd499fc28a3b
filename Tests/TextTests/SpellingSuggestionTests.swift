import TestSupport
import Testing
import Text

@Suite("Spelling suggestions", .alone)
struct NearestTests {
  static let cases: [(String, [String], String?)] = [
    ("timeot", ["timeout", "grace"], "timeout"), ("tiemout", ["timeout"], "timeout"),
    ("TIMEOUT", ["timeout"], "timeout"),
    ("retry-delay", ["retry_delay"], "retry_delay"), ("retrydelay", ["retry_delay"], "retry_delay"),
    ("timeout", ["timeout"], "timeout"), ("grase", ["timeout", "grace"], "grace"),
    ("enabeld", ["enabled"], "enabled"),
    // At most a third of the letters may differ, and one letter is never similar to another.
    ("spool", ["poll"], nil), ("abcdef", ["abxyef"], "abxyef"), ("abcdef", ["axyzef"], nil),
    ("a", ["b"], nil),
    ("ab", ["ac"], "ac"), ("x", ["xy"], "xy"), ("", ["a"], nil), ("wibble", ["timeout", "grace"], nil),
    ("word", [], nil),
    // The nearest candidate, and the first of equally near candidates.
    ("cart", ["dart", "cast"], "dart"), ("cart", ["cast", "dart"], "cast"),
    ("limits", ["limbo", "limit"], "limit"),
    ("ärger", ["arger"], "arger"),
  ]

  @Test(
    "The suggestion is the nearest candidate, or nil when no candidate is near",
    arguments: cases)
  func nearestOf(_ word: String, _ candidates: [String], _ expected: String?) {
    #expect(spellingSuggestion(for: word, among: candidates) == expected)
  }
}
