import FoundationEssentials
package import Posix

/// What a trigger file says: an object, a scalar, or nothing. A pure function of its bytes.
package enum TriggerContent: Sendable, Equatable {
  /// The file is empty: its name says which channel.
  case empty
  /// `123` or `"cats"`.
  case scalar(ChannelReference)
  case object(TriggerRequest)
  /// No trigger, for this reason. May also be one that is still being written.
  case invalid(String)

  /// A larger file cannot be a trigger.
  package static let sizeLimit = 64 * 1024

  package init(_ bytes: [UInt8]) {
    if bytes.isEmpty {
      self = .empty
      return
    }
    if bytes.count > Self.sizeLimit {
      self = .invalid("larger than 64 KiB")
      return
    }
    var bytes = bytes[...]
    // Some editors begin a UTF-8 file with this mark.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    // The decoder would guess UTF-16 and UTF-32, which are full of zeros. A trigger is UTF-8, and what is none is told
    // so.
    guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
      self = .invalid("not UTF-8 text")
      return
    }
    let space: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]
    guard let first = bytes.first(where: { !space.contains($0) }) else {
      self = .empty
      return
    }
    let decoder = JSONDecoder()
    let data = Data(bytes)
    do {
      switch first {
      case UInt8(ascii: "{"): self = .object(try decoder.decode(TriggerRequest.self, from: data))
      case UInt8(ascii: "\""):
        self = .scalar(.name(try validated(decoder.decode(String.self, from: data), "channel")))
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        self = .scalar(.id(try decoder.decode(Int64.self, from: data)))
      default: self = .invalid("neither a JSON object, a channel id nor a channel name in quotation marks")
      }
    } catch {
      self = .invalid(Self.explain(error))
    }
  }

  private static func explain(_ error: any Error) -> String {
    switch error {
    case let error as InvalidField: error.reason
    case DecodingError.typeMismatch(let type, let context):
      "\(fieldName(context)) must be \(type == Int64.self ? "an integer" : "a string")"
    case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
      "\(fieldName(context)) is not a value that can be used"
    // The decoder does not tell one from the other here.
    default: "not valid JSON, or an id that is no whole number"
    }
  }

  private static func fieldName(_ context: DecodingError.Context) -> String {
    context.codingPath.last.map { "\"\($0.stringValue)\"" } ?? "the channel"
  }
}

/// A channel, by its id or by its name.
package enum ChannelReference: Sendable, Equatable, CustomStringConvertible {
  case id(Int64)
  case name(String)

  /// Digits are an id, anything else a name.
  package init(text: String) {
    if !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let id = Int64(text)
    {
      self = .id(id)
    } else {
      self = .name(text)
    }
  }

  package var description: String {
    switch self {
    case .id(let id): String(id)
    case .name(let name): "\"\(name.printable)\""
    }
  }
}

/// The fields of a trigger that is an object. All others are ignored.
package struct TriggerRequest: Sendable, Equatable, Decodable {
  /// What the channel is called in it; both when both are given.
  package let channels: [ChannelReference]
  package let user: String?
  package let timestamp: Timestamp?

  private enum Key: String, CodingKey {
    case channelID = "channel_id"
    case channel, user, timestamp
  }

  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    var channels: [ChannelReference] = []
    if let id = try fields.decodeIfPresent(Int64.self, forKey: .channelID) { channels.append(.id(id)) }
    if let name = try fields.decodeIfPresent(String.self, forKey: .channel) {
      channels.append(.name(try validated(name, "channel")))
    }
    if channels.isEmpty { throw InvalidField("names no channel: \"channel_id\" or \"channel\" is required") }
    self.channels = channels
    user = try fields.decodeIfPresent(String.self, forKey: .user).map { try validated($0, "user") }
    timestamp = try fields.decodeIfPresent(String.self, forKey: .timestamp).map { text in
      guard let moment = Timestamp(rfc3339: try validated(text, "timestamp")) else {
        throw InvalidField("\"timestamp\" is not a time such as 2025-10-05T10:30:00Z")
      }
      return moment
    }
  }
}

private struct InvalidField: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// Fields that are used end up in environment variables, names and log lines.
private func validated(_ text: String, _ field: String) throws -> String {
  if text.unicodeScalars.contains(where: \.isUnsafeForTerminal) {
    throw InvalidField("\"\(field)\" contains a control character")
  }
  if text.utf8.count > 1024 { throw InvalidField("\"\(field)\" is longer than 1024 bytes") }
  return text
}
