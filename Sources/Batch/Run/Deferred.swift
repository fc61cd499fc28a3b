package import Posix

/// The triggers that a run cannot work on: they stay where they are, for a later run.
package struct Deferred: Sendable, Equatable {
  /// Names in the spool's top level.
  package var pending: Set<FileName> = []
  /// Names of triggers that killed runs have claimed.
  package var claimed: Set<FileName> = []

  package init() {}

  package var isEmpty: Bool { pending.isEmpty && claimed.isEmpty }

  package func isSubset(of other: Deferred) -> Bool {
    pending.isSubset(of: other.pending) && claimed.isSubset(of: other.claimed)
  }
}
