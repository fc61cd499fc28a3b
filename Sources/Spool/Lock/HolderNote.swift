import FoundationEssentials
package import Posix
package import Text

/// What the holder of the scheduler lock says about itself, in the lock file.
package struct HolderNote: Sendable, Codable, Equatable {
  package enum Kind: String, Sendable, Codable {
    /// A scheduled run: others do not wait for it.
    case scheduled
    /// A run for somebody's trigger, which a scheduled run waits for.
    case manual
  }

  /// A job that is running now.
  package struct Job: Sendable, Codable, Equatable {
    package let id: Int64
    package let channel: String
    package let trigger: String?
    package let startedAt: String

    package init(id: Int64, channel: String, trigger: String?, startedAt: Timestamp) {
      self.id = id
      self.channel = channel
      self.trigger = trigger
      self.startedAt = startedAt.rfc3339(fractionDigits: 6)
    }

    private enum CodingKeys: String, CodingKey {
      case id, channel, trigger
      case startedAt = "started_at"
    }

    package var json: JSONValue {
      .object([
        ("id", .integer(id)), ("channel", .string(channel)), ("trigger", .optional(trigger)),
        ("started_at", .string(startedAt)),
      ])
    }
  }

  package let kind: Kind
  package let pid: Int32
  package let host: String
  package var run: Int64?
  package let startedAt: String
  /// The process, by the name of its folder in `running/`.
  package let owner: String
  package var job: Job?

  /// The longest note: the file system limits the names in it.
  static let sizeLimit = 4096

  /// - Parameter bytes: the beginning of the file. Only the first line counts: the end of an older note may follow it,
  ///   if that could not be cut off.
  /// - Returns: nil for anything that is not a note.
  init?(_ bytes: [UInt8]) {
    let line = Data(bytes.prefix { $0 != UInt8(ascii: "\n") })
    guard let note = try? JSONDecoder().decode(HolderNote.self, from: line) else { return nil }
    self = note
  }

  package init(kind: Kind, startedAt: Timestamp, owner: ProcessIdentity) {
    self.kind = kind
    self.startedAt = startedAt.rfc3339(fractionDigits: 6)
    self.owner = owner.folder.description
    pid = owner.process
    host = CurrentProcess.hostName()
  }

  private enum CodingKeys: String, CodingKey {
    case kind, pid, host, run, owner, job
    case startedAt = "started_at"
  }

  package var json: JSONValue {
    .object([
      ("kind", .string(kind.rawValue)), ("pid", .integer(pid)), ("host", .string(host)),
      ("run", .optional(run)),
      ("started_at", .string(startedAt)), ("owner", .string(owner)), ("job", job?.json ?? .null),
    ])
  }

  package var description: String {
    "\(kind.rawValue) run (process \(pid) on \(host.printable), since \(startedAt.printable))"
  }
}
