import Posix
import Text

/// The way from a file or folder up to the root: whoever can write to a folder on it can put another file in the place of
/// what is below. Folders on the way of an earlier path are passed over, so that many paths cost few system calls.
struct PathClimb {
  /// One file or folder on the way.
  struct Step {
    let path: String
    /// A link's own, where it is one: only its owner can change a link, and what it leads to is a step as well.
    let status: FileStatus
    /// Whether it is a fault that others can add files, although they cannot exchange any.
    let countsAdditions: Bool
    /// What it is to the place from which the way began, in words before its name; empty for the place itself.
    let relation: String
  }

  /// For each folder that was on the way: whether a link is on the rest of the way.
  private var known: [String: Bool] = [:]

  /// - Parameters:
  ///   - place: an absolute path. If it is missing, or may not be examined, the way begins at the nearest folder above
  ///     it, where others may be able to make it.
  ///   - isSearched: whether a new file in the place is as bad as an exchanged one.
  mutating func steps(from place: String, isSearched: Bool) -> [Step] {
    var steps: [Step] = []
    let hasLink = climb(from: place, isSearched, &steps)
    // The folders that links are in count as much as those that they lead to.
    if hasLink, let resolved = try? PathQueries.resolved(place) {
      _ = climb(from: resolved, isSearched, &steps)
    }
    return steps
  }

  /// - Returns: whether a link is on the way.
  private mutating func climb(from place: String, _ isSearched: Bool, _ steps: inout [Step]) -> Bool {
    var (path, isThere, hasLink) = (place, false, false)
    var climbed: [String] = []
    while true {
      if isThere, let rest = known[path] {
        hasLink = hasLink || rest
        break
      }
      if let status = try? PathQueries.status(path) {
        // Where a name is still free, adding it is all that it takes.
        let isFree = !isThere && path != place
        steps.append(
          Step(
            path: path, status: status, countsAdditions: isFree || (path == place && isSearched),
            relation: path == place ? "" : isFree ? "the folder for " : "a folder above "))
        isThere = true
        hasLink = hasLink || status.kind == .symbolicLink
        climbed.append(path)
      }
      if path == "/" { break }
      path = PathText.split(path).folder
    }
    for path in climbed { known[path] = hasLink }
    return hasLink
  }
}
