/// One of the two blocks of a zone file: a header, and the tables after it. See RFC 9636, section 3.
struct TZifReader {
  /// 0, or the digit `2`, `3` or `4`.
  let version: UInt8
  let changeCount: Int
  /// The offset of the first byte after the block.
  let end: Int

  private let bytes: [UInt8]
  private let timeSize: Int
  private let typeCount: Int
  private let times: Int

  /// - Parameter timeSize: how many bytes a time has: 4 in the first block, 8 in the second.
  /// - Returns: nil when the bytes do not hold such a block.
  init?(_ bytes: [UInt8], at start: Int, timeSize: Int) {
    let headerSize = 44
    guard bytes.count >= start + headerSize, bytes[start..<start + 4].elementsEqual("TZif".utf8) else {
      return nil
    }
    self.bytes = bytes
    self.timeSize = timeSize
    version = bytes[start + 4]
    func count(_ index: Int) -> Int { Int(Self.number(bytes, at: start + 20 + index * 4, size: 4)) }
    let (utcCount, standardCount, leapCount) = (count(0), count(1), count(2))
    let (changeCount, typeCount, characterCount) = (count(3), count(4), count(5))
    let counts = [utcCount, standardCount, leapCount, changeCount, typeCount, characterCount]
    guard counts.allSatisfy({ (0...bytes.count).contains($0) }) else { return nil }
    self.changeCount = changeCount
    self.typeCount = typeCount
    times = start + headerSize
    end =
      times + changeCount * (timeSize + 1) + typeCount * 6 + characterCount + leapCount * (timeSize + 4)
      + standardCount + utcCount
    if end > bytes.count { return nil }
  }

  /// The offsets of the types, in seconds east of UTC; nil when one is not possible.
  var offsets: [Int]? {
    let table = times + changeCount * (timeSize + 1)
    let offsets = (0..<typeCount).map { Int(Self.number(bytes, at: table + $0 * 6, size: 4)) }
    return offsets.allSatisfy { abs($0) <= 26 * 3_600 } ? offsets : nil
  }

  /// A moment at which another type begins to be valid.
  func change(_ index: Int) -> (time: Int64, type: Int) {
    let time = Self.number(bytes, at: times + index * timeSize, size: timeSize)
    return (time, Int(bytes[times + changeCount * timeSize + index]))
  }

  /// A signed number, its most significant byte first.
  private static func number(_ bytes: [UInt8], at offset: Int, size: Int) -> Int64 {
    let unsigned = bytes[offset..<offset + size].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return size == 4 ? Int64(Int32(truncatingIfNeeded: unsigned)) : Int64(bitPattern: unsigned)
  }
}
