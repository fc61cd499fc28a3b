package import Text

/// Something about the files and programs around a configuration that keeps the batch from working, or lets others in.
///
/// Or, as a warning, what does not hold though the batch works.
package struct SetupProblem: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// A program that a channel needs is missing.
    case program
    /// The batch's user may not do what it must, or others may do what they must not.
    case permission
    /// Something that is missing, or of the wrong kind.
    case missing
    /// A mount between the spool and one of its folders.
    case mount
    /// The kind of file system that the spool is on.
    case fileSystem = "file_system"
  }

  package let kind: Kind
  package let path: String
  package let message: String
  /// What to do about it.
  package let remedy: String

  package var json: JSONValue {
    .object([
      ("kind", .string(kind.rawValue)), ("path", .string(path)), ("message", .string(message)),
      ("remedy", .string(remedy)),
    ])
  }
}
