package import Posix
package import Spool
import Text

/// Hands out history ids: 1, 2, 3 …, each id once, even to several processes at the same time.
///
/// The next id is kept in a file of its own, `.history-id`, so that ids continue when the history is rotated away or
/// deleted. If that file is lost or out of date (a power cut), the history and the claims show the last id.
package final class HistoryIDs {
  private let store: SpoolStore
  private let file: FileDescriptor
  /// The next numbers, as far as this process knows: the file may contain greater numbers.
  private var known = Numbers(id: 1, run: 1)
  /// An id that was taken but not used, because its trigger was gone.
  private var spare: Int64?

  package init(_ store: SpoolStore) throws(SystemError) {
    self.store = store
    file = try store.open(SpoolDirectory.historyIDName, .update)
    try file.lock()
    defer { try? file.unlock() }
    let stored = try read()
    var last = try lastRecorded(fullHistory: stored == nil)
    for owner in try store[.running].names() {
      let claims: [FileName]
      do throws(SystemError) { claims = try store[.running].directory(owner).names() } catch {
        // RACE: a process that ends removes its folder. Its ids are in the file or in the history then. An entry that
        // is not a directory does not hold claims.
        if [.noSuchFile, .notDirectory, .tooManyLinks].contains(error.code) { continue }
        throw error
      }
      for claim in claims { last.id = max(last.id, ClaimName(claim)?.id ?? 0) }
    }
    known = Numbers(id: max(stored?.id ?? 1, last.id + 1), run: max(stored?.run ?? 1, last.run + 1))
    if known != stored { try write(known) }
  }

  /// The next id. There is a history when it is given out: that a claim's record is not in a history means something
  /// only if the history was there first (`RecordSearch`).
  package func next() throws(SystemError) -> Int64 {
    try requireHistory()
    if let spare {
      self.spare = nil
      return spare
    }
    return try advance { numbers in
      defer { numbers.id += 1 }
      return numbers.id
    }
  }

  private func requireHistory() throws(SystemError) {
    if try store.root.status(of: HistoryFile.name) != nil { return }
    _ = try store.open(HistoryFile.name, .append)
    try store.root.sync()
  }

  /// The number of a run that begins: 1, 2, 3 …, counted apart from the ids.
  package func nextRun() throws(SystemError) -> Int64 {
    try advance { numbers in
      defer { numbers.run += 1 }
      return numbers.run
    }
  }

  /// Returns an id that was not used, for the next call of `next()`.
  package func giveBack(_ id: Int64) { spare = id }

  /// Makes the counter durable, at the end of a run or a command: the history that proves it may be rotated away.
  package func sync() throws(SystemError) { try file.syncData() }

  private struct Numbers: Equatable {
    var id: Int64
    var run: Int64

    init(id: Int64, run: Int64) {
      self.id = id
      self.run = run
    }

    /// Nil when the first line does not hold two possible numbers.
    init?(line: [UInt8]) {
      let parts = line.prefix { $0 != UInt8(ascii: "\n") }
        .split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      let valid = 1...ClaimName.idLimit
      guard parts.count == 2, let id = Int64(decimal: parts[0]), let run = Int64(decimal: parts[1]),
        valid.contains(id), valid.contains(run)
      else { return nil }
      self.init(id: id, run: run)
    }
  }

  private func advance(_ take: (inout Numbers) -> Int64) throws(SystemError) -> Int64 {
    try file.lock()
    defer { try? file.unlock() }
    // Somebody may have emptied the file in between.
    let stored = try read() ?? known
    var numbers = Numbers(id: max(stored.id, known.id), run: max(stored.run, known.run))
    let number = take(&numbers)
    try write(numbers)
    known = numbers
    return number
  }

  /// The file holds the next id and the number of the next run, on one line.
  private func read() throws(SystemError) -> Numbers? { Numbers(line: try file.readStart(limit: 64)) }

  private func write(_ numbers: Numbers) throws(SystemError) {
    var line = Array(String(numbers.id).utf8)
    line.append(UInt8(ascii: " "))
    line += String(numbers.run).utf8
    line.append(UInt8(ascii: "\n"))
    // Both numbers only grow, so the new text covers the old text.
    try file.overwriteStart(with: line)
  }

  private func lastRecorded(fullHistory: Bool) throws(SystemError) -> Numbers {
    var last = Numbers(id: 0, run: 0)
    // Ids are given out in order and recorded nearly so: the last lines tell.
    var lines = 0
    try HistoryReader.forEachLineNewestFirst(in: store.root) { line in
      lines += 1
      last.id = max(last.id, HistoryReader.id(line) ?? 0)
      last.run = max(last.run, HistoryReader.run(line) ?? 0)
      return fullHistory || lines < 512
    }
    return last
  }
}
