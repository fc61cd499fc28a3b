package import Posix

/// A trigger that a process has made its own.
package struct Claim: Sendable {
  package let name: ClaimName
  /// What the claimed file is called in `folder`.
  package let file: FileName
  /// The owner's folder in `running/`.
  package let folder: Directory
  /// The name of that folder.
  package let owner: FileName

  /// - Parameter file: the name of the file, if it is known and may differ from the name that `name` makes: a name that
  ///   is too long is cut.
  package init(name: ClaimName, file: FileName? = nil, folder: Directory, owner: FileName) {
    self.name = name
    self.file = file ?? name.file
    self.folder = folder
    self.owner = owner
  }

  package var id: Int64 { name.id }
  package var trigger: FileName { name.trigger }

  /// The same claimed file under the trigger's full name, which a record may hold when the claim's name was cut.
  package func of(trigger: FileName) -> Claim {
    Claim(
      name: ClaimName(id: id, state: name.state, trigger: trigger), file: file, folder: folder, owner: owner)
  }
}
