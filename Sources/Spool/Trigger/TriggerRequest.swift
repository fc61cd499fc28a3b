package import Posix
import Text

/// The fields of a trigger that is an object. All other fields are ignored.
package struct TriggerRequest: Sendable, Equatable {
  /// The references to its channel: the id, the name, or both.
  package let channels: [ChannelReference]
  package let user: String?
  package let timestamp: WrittenTime?
  /// What is wrong with the fields that a request can do without. They were left out.
  package let warnings: [String]

  private static let channelFields = ["channel_id", "channel"]

  /// Whether a trigger may name this user.
  package static func isUserName(_ text: String) -> Bool {
    do throws(InvalidField) { return try !InvalidField.checked(text, "user").isEmpty } catch { return false }
  }

  /// - Throws: why the object cannot be a trigger.
  init(_ members: [String: JSON5Value]) throws(InvalidField) {
    var channels: [ChannelReference] = []
    for field in Self.channelFields {
      if let value = members[field], let channel = try Self.channel(value, field) { channels.append(channel) }
    }
    if channels.isEmpty {
      throw InvalidField("does not name a channel: \"channel_id\" or \"channel\" is required")
    }
    self.channels = channels
    var warnings: [String] = []
    user = members["user"].flatMap { Self.user($0, &warnings) }
    timestamp = members["timestamp"].flatMap { Self.timestamp($0, &warnings) }
    self.warnings = warnings
  }

  /// Both fields may hold an id or a name, because many programs write every value as a text.
  private static func channel(_ value: JSON5Value, _ field: String) throws(InvalidField) -> ChannelReference?
  {
    switch value {
    case .null: return nil
    case .integer(let id): return .id(Int64(id))
    case .string(let text): return ChannelReference(text: try InvalidField.checked(text, field))
    case .bool, .number, .array, .object:
      throw InvalidField("\"\(field)\" must be an id or a name, not \(value.kind)")
    }
  }

  private static func user(_ value: JSON5Value, _ warnings: inout [String]) -> String? {
    let text: String
    switch value {
    case .null: return nil
    case .string(let user): text = user
    case .integer(let number): text = String(number)
    case .number(let number) where number.isFinite: text = String(number)
    case .number, .bool, .array, .object:
      warnings.append("\"user\" was left out: it must be a text, not \(value.kind)")
      return nil
    }
    do throws(InvalidField) { return try InvalidField.checked(text, "user") } catch {
      warnings.append("\"user\" was left out: \(error.reason)")
      return nil
    }
  }

  private static func timestamp(_ value: JSON5Value, _ warnings: inout [String]) -> WrittenTime? {
    let time: WrittenTime? =
      switch value {
      case .string(let text): WrittenTime(text.trimmed)
      case .integer(let count): WrittenTime(count: Int64(count))
      case .number(let count): WrittenTime(count: count)
      case .null, .bool, .array, .object: nil
      }
    if time == nil, !value.isNull {
      warnings.append(
        "\"timestamp\" was left out: \(value.kind) is not a time such as 2025-10-05T10:30:00Z; the file's time counts"
      )
    }
    return time
  }
}

extension String {
  fileprivate var trimmed: Substring {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

extension JSON5Value {
  fileprivate var isNull: Bool { if case .null = self { true } else { false } }
}
