package import Posix
import Text

/// The rules for file names in the spool's top level.
package enum TriggerName {
  private static let suffix = Array(".json".utf8)

  /// Whether a file with this name is a trigger: the name ends in `.json` and does not begin with a full stop.
  @inline(__always)
  package static func isTrigger(_ bytes: some RandomAccessCollection<UInt8>) -> Bool {
    bytes.count > suffix.count && bytes.first != UInt8(ascii: ".")
      && bytes.suffix(suffix.count).elementsEqual(suffix)
  }

  /// The trigger's name that was most likely meant by a file name that is not one: `cats.JSON` is not a trigger's, nor
  /// is what an editor that hides extensions writes (`cats.json.txt`), nor a name with a space or a full stop behind it.
  ///
  /// - Returns: nil for a trigger's name, a name with a leading full stop, and everything else.
  package static func intended(by name: FileName) -> FileName? {
    if isTrigger(name.bytes) || name.bytes.first == UInt8(ascii: ".") { return nil }
    let blank = [UInt8(ascii: " "), UInt8(ascii: ".")]
    var stem = name.bytes[...]
    for ending in [".txt", ".json"].map({ Array($0.utf8) }) {
      while let last = stem.last, blank.contains(last) { stem.removeLast() }
      guard stem.suffix(ending.count).map(lowercased) == ending else {
        if ending == suffix { return nil }
        continue
      }
      stem.removeLast(ending.count)
    }
    return stem.isEmpty ? nil : FileName(bytes: stem + suffix)
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }

  /// The longest name that can be claimed: a claim puts its id and attempt before the name (see `ClaimName`), and a
  /// name in a directory has at most 255 bytes.
  package static let lengthLimit = 255 - ClaimName.prefixLimit

  /// What the name of an empty trigger says: the channel, after an optional time and a hyphen.
  ///
  /// - Returns: nil when the name is not valid UTF-8, contains control characters, or does not state a channel.
  package static func channel(in name: FileName) -> ChannelReference? { parts(of: name).channel }

  /// The time at the beginning of a name, and the channel that the name states if its file is empty.
  package static func parts(of name: FileName) -> (time: Timestamp?, channel: ChannelReference?) {
    var bytes = name.bytes.dropLast(suffix.count)
    let time = Timestamp.readCompact(bytes)
    if let time, bytes.dropFirst(time.length).first == UInt8(ascii: "-") {
      bytes = bytes.dropFirst(time.length + 1)
    }
    return (time?.time, channel(bytes))
  }

  private static func channel(_ bytes: ArraySlice<UInt8>) -> ChannelReference? {
    if let id = Int64(decimal: bytes) { return .id(id) }
    guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty,
      !text.unicodeScalars.contains(where: \.isUnsafeForTerminal)
    else { return nil }
    return ChannelReference(text: text)
  }

  /// The time at the beginning of a name, as `bobbin trigger` writes it.
  package static func time(in name: FileName) -> Timestamp? { Timestamp.readCompact(name.bytes[...])?.time }

  /// The name of a trigger for a channel that was requested at that time.
  package static func make(_ time: Timestamp, channel: Int64) -> FileName {
    FileName("\(time.compact)-\(channel).json")
  }
}
