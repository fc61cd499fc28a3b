package import Posix

/// The names of the pending triggers in byte order, as one scan of the directory found them.
///
/// A spool may hold a million files, so a name is a range in one block of bytes, and a scan that finds only known
/// names sorts nothing: it compares the number and the sum of the hashes of all names.
package struct PendingList: Sendable {
  /// For each name two bytes with its length (more than 255 bytes are rare, but not impossible), its bytes, and a zero.
  private var arena: [UInt8] = []
  /// Where the names' bytes begin, in their order.
  private var starts: [UInt32] = []
  private var next = 0
  /// Number and hash sum of the names not yet taken, for the comparison.
  private var rest = Fingerprint()

  package init() {}

  package var count: Int { starts.count - next }

  /// Scans the directory. Afterwards the list holds what is in the directory now, from the first name on.
  ///
  /// - Parameter skipping: names that are not wanted, whatever happens to them.
  /// - Returns: whether any name was added or removed.
  @discardableResult
  package mutating func refresh(from directory: Directory, skipping: Set<FileName>) throws(SystemError)
    -> Bool
  {
    var found = Fingerprint()
    var fresh: [UInt8] = []
    fresh.reserveCapacity(arena.count)
    var freshStarts: [UInt32] = []
    freshStarts.reserveCapacity(starts.count)
    try directory.forEachName { name in
      guard TriggerName.isTrigger(name) else { return }
      if !skipping.isEmpty, skipping.contains(FileName(bytes: Array(name))) { return }
      // Names that do not fit into 4 GiB are found by a later scan, when there is room again.
      guard let start = UInt32(exactly: fresh.count + 2), let length = UInt16(exactly: name.count) else {
        return
      }
      found.add(name)
      fresh.append(UInt8(length >> 8))
      fresh.append(UInt8(length & 0xFF))
      freshStarts.append(start)
      fresh.append(contentsOf: name)
      fresh.append(0)
    }
    if found == rest, next < starts.count || found.count == 0 { return false }
    arena = fresh
    starts = Self.sorted(freshStarts, in: fresh)
    next = 0
    rest = found
    return true
  }

  /// The first name, left in the list; nil when the list is empty.
  package var first: FileName? { next < starts.count ? name(at: next) : nil }

  /// Takes the first name out of the list.
  ///
  /// - Returns: the name; nil when the list is empty.
  package mutating func popFirst() -> FileName? {
    guard let name = first else { return nil }
    name.bytes.withUnsafeBytes { rest.remove($0) }
    next += 1
    return name
  }

  /// Some of the names, counted from the first on, left in the list.
  package func names(_ range: Range<Int>) -> [FileName] { range.map { name(at: next + $0) } }

  /// One of the names, counted from the first on.
  package func name(_ index: Int) -> FileName { name(at: next + index) }

  private func name(at index: Int) -> FileName {
    arena.withUnsafeBufferPointer { arena in
      let name = arena.baseAddress! + Int(starts[index])
      return FileName(bytes: Array(UnsafeBufferPointer(start: name, count: Self.length(name))))
    }
  }

  /// A name's place, with the bytes by which most names can be told apart.
  private struct Key {
    let bytes: UInt64
    let start: UInt32
  }

  /// The names' places in the byte order of the names.
  ///
  /// Most names in a spool begin alike, with a date: their common beginning is skipped, and the eight bytes after it
  /// nearly always decide, without reading the names again.
  private static func sorted(_ starts: [UInt32], in arena: [UInt8]) -> [UInt32] {
    guard starts.count > 1 else { return starts }
    return arena.withUnsafeBufferPointer { arena in
      guard let base = arena.baseAddress else { return starts }
      let first = base + Int(starts[0])
      var common = length(first)
      for start in starts {
        let name = base + Int(start)
        var length = 0
        while length < common, name[length] == first[length] { length += 1 }
        common = length
      }
      var keys = starts.map { start in
        var bytes: UInt64 = 0
        var name = base + Int(start) + common
        // Names end with a zero, which sorts before every byte a name can hold.
        for _ in 0..<8 {
          bytes = bytes << 8 | UInt64(name.pointee)
          if name.pointee != 0 { name += 1 }
        }
        return Key(bytes: bytes, start: start)
      }
      keys.sort { left, right in
        left.bytes != right.bytes
          ? left.bytes < right.bytes : precedes(base + Int(left.start), base + Int(right.start))
      }
      return keys.map(\.start)
    }
  }

  private static func length(_ name: UnsafePointer<UInt8>) -> Int { Int(name[-2]) << 8 | Int(name[-1]) }

  private static func precedes(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>) -> Bool {
    var (left, right) = (left, right)
    while left.pointee == right.pointee, left.pointee != 0 {
      left += 1
      right += 1
    }
    return left.pointee < right.pointee
  }

  private struct Fingerprint: Equatable {
    var count = 0
    var sum: UInt64 = 0

    mutating func add(_ name: UnsafeRawBufferPointer) {
      count += 1
      sum &+= hash(name)
    }

    mutating func remove(_ name: UnsafeRawBufferPointer) {
      count -= 1
      sum &-= hash(name)
    }

    /// FNV-1a with a final mix, 64 bits. Nobody gains from a collision: it would only hide a new name from this scan
    /// until the next change of the directory.
    private func hash(_ name: UnsafeRawBufferPointer) -> UInt64 {
      var value: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in name { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
      value ^= value >> 32
      return value &* 0xd6e8_feb8_6659_fd93
    }
  }
}
