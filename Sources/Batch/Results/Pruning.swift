/// What `bobbin prune` did.
package struct Pruning: Sendable, Equatable {
  /// How many triggers were expired.
  package let expired: Int
  /// How many stale triggers stay because they cannot be moved.
  package let left: Int
  /// How many old files were removed.
  package let removed: Int

  package init(expired: Int, left: Int, removed: Int) {
    self.expired = expired
    self.left = left
    self.removed = removed
  }
}
