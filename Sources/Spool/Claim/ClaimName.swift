package import Posix

/// The name of a claimed file in `running/<owner>/`: `<id>.<state>.<name>`. It says all there is to know about the
/// claim, so that one rename changes owner, attempt and state at once.
package struct ClaimName: Sendable, Hashable {
  /// The history id that the job's record will have.
  package let id: Int64
  package let state: ClaimState
  /// The trigger's own name.
  package let trigger: FileName

  /// The greatest history id: 13 digits. At ten jobs a second, ids last for 30,000 years; Bobbin never gave out a
  /// greater id.
  package static let idLimit: Int64 = 9_999_999_999_999

  /// At most this many bytes stand before the trigger's name: an id of 13 digits, `cancelled`, and two full stops.
  package static let prefixLimit = 24

  /// The name itself. A trigger's name that is too long is cut: the trigger is then being rejected for its length, and
  /// its record has the full name.
  package let file: FileName

  package init(id: Int64, state: ClaimState, trigger: FileName) {
    self.id = id
    self.state = state
    self.trigger = trigger
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.prefixLimit + trigger.bytes.count)
    for part in [String(id), state.text] {
      bytes += part.utf8
      bytes.append(UInt8(ascii: "."))
    }
    bytes += trigger.bytes
    file = FileName(bytes: Array(bytes.prefix(255)))
  }

  /// Whether a record with this id and this trigger is the claim's record.
  package func isOf(id: Int64, trigger: FileName) -> Bool {
    id == self.id && trigger.bytes.starts(with: self.trigger.bytes)
  }

  /// - Returns: nil for a name that is not a claim's.
  package init?(_ file: FileName) {
    let parts = file.bytes.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[2].isEmpty else { return nil }
    let texts = parts[..<2].map { String(decoding: $0, as: UTF8.self) }
    // Only what Bobbin writes is accepted, not "+5" or "05": a claim is found again by the name made from its parts.
    guard let id = Int64(texts[0]), (1...Self.idLimit).contains(id), String(id) == texts[0],
      let state = ClaimState(texts[1][...]), state.text == texts[1]
    else { return nil }
    self.init(id: id, state: state, trigger: FileName(bytes: Array(parts[2])))
  }
}
