package import Posix
package import Spool

/// Searches for the records of claims that a crash left: in the history and in all that was rotated away from it.
///
/// A claim without a record is repeated, so "not found" must mean "not recorded". A record is appended after its trigger
/// was claimed. It is therefore in the file that was the history when the trigger was claimed, or in a newer one. The
/// search *reaches back* to a claim when one of the files that it has read was there by then:
/// - the file was made before the trigger was claimed, as the file system knows it; or
/// - its first record has a lower id and is older than the claim; or
/// - it is empty, and has been since before the trigger was claimed.
///
/// `HistoryIDs` makes the history before it gives out an id, so a new spool reaches back as well. Otherwise the record is
/// *out of reach*: the history was moved to another folder or removed after the trigger had been claimed. It also is
/// when a file beside the history that cannot be read, because it is compressed, was written after that.
package struct RecordSearch {
  /// The records that were found. They are durable.
  package private(set) var records: [ClaimName: HistoryRecord] = [:]
  /// The claims of which nobody can know whether they have a record.
  package private(set) var outOfReach: Set<ClaimName>

  /// The times that the kernel gives files are some milliseconds behind its clock, which records have.
  private static let tolerance = Duration.seconds(1)

  private let root: Directory
  /// With locking broken, two processes may have given out one id: the trigger tells whose record it is.
  private let wanted: [Int64: [ClaimName]]
  /// When the triggers were claimed: that was the last change of their files.
  private var claimed: [ClaimName: Timestamp] = [:]

  /// - Throws: also when a record that was found cannot be made durable.
  package init(of claims: [Claim], in store: SpoolStore) throws(SystemError) {
    root = store.root
    wanted = Dictionary(grouping: claims.map(\.name), by: \.id)
    for claim in claims {
      // A file that is gone is not repeated.
      claimed[claim.name] = try claim.folder.status(of: claim.file)?.changed
    }
    outOfReach = Set(claimed.keys)
    // RACE: the history comes first: a rotation between the two shows its records twice, not never.
    if let status = try root.status(of: HistoryFile.name) {
      try search(HistoryFiles.File(name: HistoryFile.name, status: status))
    }
    let left = outOfReach
    let others = try HistoryFiles(in: root)
    for file in others.rotated where !outOfReach.isEmpty || mayHoldRecord(file) { try search(file) }
    for claim in left where records[claim] == nil {
      if others.unreadable.contains(where: { $0.status.modified >= claimed[claim]! }) {
        outOfReach.insert(claim)
      }
    }
  }

  /// Whether a file was written to since one of the triggers without a record was claimed.
  private func mayHoldRecord(_ file: HistoryFiles.File) -> Bool {
    claimed.contains { records[$0.key] == nil && file.status.modified >= $0.value }
  }

  private mutating func search(_ place: HistoryFiles.File) throws(SystemError) {
    guard let file = try place.open(in: root, .read) else { return }
    var offset: Int64 = 0
    var firstFound: Int64?
    var oldest: HistoryRecord?
    var found: [ClaimName: HistoryRecord] = [:]
    try HistoryReader.forEachLine(of: file) { line in
      defer { offset += Int64(line.count) + 1 }
      guard let id = HistoryReader.id(line), oldest == nil || wanted[id] != nil,
        let record = HistoryReader.record(line)
      else { return }
      oldest = oldest ?? record
      guard let trigger = record.trigger else { return }
      for name in wanted[id] ?? [] where name.isOf(id: id, trigger: trigger) && found[name] == nil {
        found[name] = record
        firstFound = firstFound ?? offset
      }
    }
    if let firstFound { try confirm(place, from: firstFound) }
    records.merge(found) { newer, _ in newer }
    let (status, birth) = (try file.status(), file.birth())
    outOfReach = outOfReach.filter { claim in
      guard records[claim] == nil, let time = claimed[claim] else { return false }
      if status.size == 0 { return status.modified > time }
      if let birth, birth <= time { return false }
      return oldest.map { $0.id >= claim.id || $0.finishedAt > time + Self.tolerance } ?? true
    }
  }

  private func confirm(_ place: HistoryFiles.File, from offset: Int64) throws(SystemError) {
    guard let file = try place.open(in: root, .modify) else {
      throw SystemError("sync", root.path(of: place.name), .noSuchFile)
    }
    try HistoryFile.confirm(file, from: offset)
  }
}
