import FoundationEssentials

/// What a trigger file says: an object, a scalar, or nothing. A pure function of its bytes.
package enum TriggerContent: Sendable, Equatable {
  /// The file is empty: its name says which channel.
  case empty
  /// `123` or `"cats"`.
  case scalar(ChannelReference)
  case object(TriggerRequest)
  /// Not a trigger, for this reason, or a trigger that is still being written.
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
    // The decoder would accept UTF-16 and UTF-32. A trigger must be UTF-8, so anything else is rejected explicitly.
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
        self = .scalar(.name(try InvalidField.checked(decoder.decode(String.self, from: data), "channel")))
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
