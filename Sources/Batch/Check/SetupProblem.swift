package import Text

/// Something about the files and programs around a configuration that keeps the batch from working, or lets others in;
/// or, as a warning, something that does not hold though the batch works.
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
    /// The file system does not do what the spool needs.
    case fileSystem = "file_system"
    /// The batch works as it is configured, and yet most likely not as somebody wants it.
    case warning
  }

  package let kind: Kind
  package let path: String
  package let message: String
  /// What to do about it.
  package let remedy: String

  package init(kind: Kind, path: String, message: String, remedy: String) {
    self.kind = kind
    self.path = path
    self.message = message
    self.remedy = remedy
  }

  package init(_ almost: AlmostTrigger) {
    self.init(
      kind: .warning, path: almost.path, message: "not a trigger: \(almost.reason)", remedy: almost.remedy)
  }

  package var json: JSONValue {
    .object([
      ("kind", .string(kind.rawValue)), ("path", .string(path)), ("message", .string(message)),
      ("remedy", .string(remedy)),
    ])
  }
}
