import FoundationEssentials
package import Posix

/// The fields of a trigger that is an object. All others are ignored.
package struct TriggerRequest: Sendable, Equatable, Decodable {
  /// What the channel is called in it; both when both are given.
  package let channels: [ChannelReference]
  package let user: String?
  package let timestamp: Timestamp?

  /// Whether a trigger may name this user.
  package static func isUserName(_ text: String) -> Bool {
    do throws(InvalidField) { return try !InvalidField.checked(text, "user").isEmpty } catch { return false }
  }

  private enum Key: String, CodingKey {
    case channelID = "channel_id"
    case channel, user, timestamp
  }

  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    var channels: [ChannelReference] = []
    if let id = try fields.decodeIfPresent(Int64.self, forKey: .channelID) { channels.append(.id(id)) }
    if let name = try fields.decodeIfPresent(String.self, forKey: .channel) {
      channels.append(.name(try InvalidField.checked(name, "channel")))
    }
    if channels.isEmpty { throw InvalidField("names no channel: \"channel_id\" or \"channel\" is required") }
    self.channels = channels
    user = try fields.decodeIfPresent(String.self, forKey: .user).map { try InvalidField.checked($0, "user") }
    timestamp = try fields.decodeIfPresent(String.self, forKey: .timestamp).map { text in
      guard let time = Timestamp(rfc3339: try InvalidField.checked(text, "timestamp")) else {
        throw InvalidField("\"timestamp\" is not a time such as 2025-10-05T10:30:00Z")
      }
      return time
    }
  }
}
