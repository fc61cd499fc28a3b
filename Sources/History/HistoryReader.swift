import FoundationEssentials
package import Posix
import Spool

/// Reads the history, forwards or from its end, and on into the files that were rotated away.
///
/// A last line without its newline is a line when it is a whole record: only its newline was lost. Otherwise it is torn,
/// or still being written, and is skipped. Once it has been ended it is one of the lines that are not records.
package enum HistoryReader {
  /// A longer line, in bytes, is not a record. It is skipped, so that a file of any content takes little memory.
  static let lineLimit = 1 << 20

  /// Calls `body` with every line, first to last, without its newline.
  package static func forEachLine(
    _ name: FileName = HistoryFile.name, in directory: Directory, _ body: (ArraySlice<UInt8>) -> Void
  ) throws(SystemError) {
    guard let file = try directory.openIfPresent(name) else { return }
    try forEachLine(of: file, body)
  }

  static func forEachLine(
    of file: borrowing FileDescriptor, _ body: (ArraySlice<UInt8>) -> Void
  ) throws(SystemError) {
    var offset: Int64 = 0
    var rest: [UInt8] = []
    var isTooLong = false
    while true {
      let block = try file.read(at: offset, count: 1 << 18)
      if block.isEmpty {
        if !rest.isEmpty, !isTooLong, record(rest[...]) != nil { body(rest[...]) }
        return
      }
      offset += Int64(block.count)
      rest += block
      var start = 0
      while let newline = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
        if isTooLong { isTooLong = false } else { body(rest[start..<newline]) }
        start = newline + 1
      }
      rest.removeFirst(start)
      if rest.count > lineLimit { (isTooLong, rest) = (true, []) }
    }
  }

  /// Calls `body` with every line of one file, last to first, until it returns false.
  package static func forEachLineFromEnd(
    _ name: FileName = HistoryFile.name, in directory: Directory, _ body: (ArraySlice<UInt8>) -> Bool
  ) throws(SystemError) {
    guard let file = try directory.openIfPresent(name) else { return }
    _ = try forEachLineFromEnd(of: file, body)
  }

  /// Calls `body` with every line, newest first, until it returns false: the lines of the history, then the lines of
  /// the files that were rotated away.
  ///
  /// RACE: logrotate may rename the history at any time. The history is opened first, so a file that is renamed after
  /// that is still read, and only once, because the other name then leads to the same file.
  package static func forEachLineNewestFirst(
    in directory: Directory, _ body: (ArraySlice<UInt8>) -> Bool
  ) throws(SystemError) {
    var read: FileStatus?
    if let file = try directory.openIfPresent(HistoryFile.name) {
      read = try file.status()
      guard try forEachLineFromEnd(of: file, body) else { return }
    }
    for rotated in try HistoryFiles(in: directory).rotated {
      if let read, read.isSameFile(as: rotated.status) { continue }
      guard let file = try rotated.open(in: directory, .read) else { continue }
      guard try forEachLineFromEnd(of: file, body) else { return }
    }
  }

  /// - Parameter reach: how many bytes from the end are read; what is before them counts as not there.
  /// - Returns: whether `body` asked for more until the beginning of the file.
  static func forEachLineFromEnd(
    of file: borrowing FileDescriptor, reach: Int64 = .max, _ body: (ArraySlice<UInt8>) -> Bool
  ) throws(SystemError) -> Bool {
    var end = try file.status().size
    let limit = max(0, end - reach)
    // The beginning of a line whose end is in the block read before, and whether it is known to be whole.
    var rest: [UInt8] = []
    var isWhole = false
    var isTooLong = false
    func take(_ line: ArraySlice<UInt8>) -> Bool {
      defer { isWhole = true }
      return line.isEmpty || !isWhole && record(line) == nil ? true : body(line)
    }
    while end > limit {
      let start = max(limit, end - (1 << 16))
      let block = try file.read(at: start, count: Int(end - start)) + rest
      var lineEnd = block.count
      while let newline = block[..<lineEnd].lastIndex(of: UInt8(ascii: "\n")) {
        if isTooLong {
          (isTooLong, isWhole) = (false, true)
        } else if !take(block[(newline + 1)..<lineEnd]) {
          return false
        }
        lineEnd = newline
      }
      rest = Array(block[..<lineEnd])
      if rest.count > lineLimit { (isTooLong, rest) = (true, []) }
      end = start
    }
    return isTooLong || limit > 0 || take(rest[...])
  }

  /// A line as a record; nil for any other line (somebody else wrote into the file).
  package static func record(_ line: ArraySlice<UInt8>) -> HistoryRecord? {
    guard let record = try? JSONDecoder().decode(HistoryRecord.self, from: Data(line)),
      isPossible(record.id), record.run.map(isPossible) ?? true
    else { return nil }
    return record
  }

  /// Ids continue after the highest id found, so a forged number near the limit is refused: it would exhaust them.
  private static func isPossible(_ number: Int64) -> Bool { (1...ClaimName.idLimit).contains(number) }

  /// The id of a record without decoding all of it: every line begins with `{"id":`.
  package static func id(_ line: ArraySlice<UInt8>) -> Int64? { number(at: line, after: "{\"id\":") }

  /// The run of a record without decoding all of it: it follows the id.
  package static func run(_ line: ArraySlice<UInt8>) -> Int64? {
    guard let comma = line.firstIndex(of: UInt8(ascii: ",")) else { return nil }
    return number(at: line[comma...], after: ",\"run\":")
  }

  private static func number(at line: ArraySlice<UInt8>, after prefix: StaticString) -> Int64? {
    let prefix = UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
    guard line.starts(with: prefix) else { return nil }
    let rest = line.dropFirst(prefix.count)
    // A number that no comma follows may have been torn in the middle.
    guard let comma = rest.firstIndex(of: UInt8(ascii: ",")) else { return nil }
    let digits = rest[..<comma]
    return Int64(String(decoding: digits, as: UTF8.self)).flatMap { isPossible($0) ? $0 : nil }
  }
}
