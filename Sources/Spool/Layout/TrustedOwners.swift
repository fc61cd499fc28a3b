package import Posix

/// The users whose files are trusted under Bobbin's own names: in a drop box a whole group may make files.
package struct TrustedOwners: Sendable {
  private let owners: Set<UInt32>

  /// The owners that a batch trusts: its own user, the spool's owner, and root.
  package init(user: UInt32, spoolOwner: UInt32) { owners = [user, 0, spoolOwner] }

  /// The owners that this process trusts.
  ///
  /// - Parameter root: the spool.
  package init(in root: Directory) throws(SystemError) {
    self.init(user: CurrentProcess.effectiveUser, spoolOwner: try root.status().owner)
  }

  package func contains(_ owner: UInt32) -> Bool { owners.contains(owner) }

  /// Whether a file is of the right kind, was made by a trusted owner, and is not somebody else's file under a second
  /// name.
  package func covers(_ status: FileStatus, _ kind: FileStatus.Kind) -> Bool {
    status.kind == kind && contains(status.owner) && (kind == .directory || status.links == 1)
  }
}
