package import Posix

/// Whose files are believed under Bobbin's own names: in a drop box anybody of a group may make some.
package struct TrustedOwners: Sendable {
  private let owners: Set<UInt32>

  /// The batch's user, the spool's owner, and root.
  ///
  /// - Parameter root: the spool.
  package init(in root: Directory) throws(SystemError) {
    owners = [CurrentProcess.effectiveUser, 0, try root.status().owner]
  }

  /// Whether it is of the right kind, was made by one of them, and is not somebody else's file under a second name.
  package func covers(_ status: FileStatus, _ kind: FileStatus.Kind) -> Bool {
    status.kind == kind && owners.contains(status.owner) && (kind == .directory || status.links == 1)
  }
}
