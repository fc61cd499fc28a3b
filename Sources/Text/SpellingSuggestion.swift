/// The candidate that `word` was most likely meant to be, or nil when there is not a near candidate.
///
/// A near candidate differs by single edits that number at most a third of the word's length; upper and lower case and
/// `-` for `_` do not count.
/// When several candidates are equally near, the first is returned, so the order of `candidates` decides.
package func spellingSuggestion(for word: String, among candidates: [String]) -> String? {
  let folded = fold(word)
  let limit = max(1, folded.count / 3)
  var best: (distance: Int, candidate: String)?
  for candidate in candidates {
    let other = fold(candidate)
    guard abs(other.count - folded.count) <= limit else { continue }
    let distance = editDistance(folded, other)
    // One edit turns any one-letter word into any other: that is not a resemblance.
    guard distance <= limit, distance < max(folded.count, other.count) else { continue }
    if distance < best?.distance ?? .max { best = (distance, candidate) }
  }
  return best?.candidate
}

private func fold(_ word: String) -> [Character] {
  word.lowercased().map { $0 == "-" ? "_" : $0 }
}

/// The number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
      row.append(cost)
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
