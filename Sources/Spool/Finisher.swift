package import Posix

/// Where a claim's journey ends.
package enum Ending: Sendable {
  /// Into `done/`, with this document.
  case done([UInt8])
  /// Into `failed/`, with this document.
  case failed([UInt8])
  /// The file itself, into one of the folders for what was not run.
  case moved(SpoolFolder)
}

/// Brings claims to their end, after their records are durable.
package final class Finisher {
  private let interior: SpoolInterior
  private var counter = 0

  package init(_ interior: SpoolInterior) { self.interior = interior }

  /// Claimed → done, failed, expired, rejected or cancelled. Several at once, because what they share (the syncs of
  /// the directories) costs most. Each step is durable before the next begins: results written and synced, then
  /// published under their names, then the directories synced, and only then the claims removed. After a crash
  /// anywhere in it the claims that are left are finished again by the next run.
  package func finish(_ endings: [(claim: Claim, ending: Ending)]) throws(SystemError) {
    var touched: Set<SpoolFolder> = []
    var results: [(claim: Claim, folder: SpoolFolder, document: [UInt8])] = []
    for (claim, ending) in endings {
      switch ending {
      case .done(let document): results.append((claim, .done, document))
      case .failed(let document): results.append((claim, .failed, document))
      case .moved(let folder):
        try move(claim, to: folder)
        touched.insert(folder)
      }
    }
    try publish(results)
    touched.formUnion(results.map(\.folder))
    for folder in touched { try interior[folder].sync() }
    for result in results { try result.claim.folder.remove(result.claim.file) }
  }

  private func publish(_ results: [(claim: Claim, folder: SpoolFolder, document: [UInt8])])
    throws(SystemError)
  {
    // In groups, so that the files of a group are on their way to the disk together, with a bounded number open.
    for start in stride(from: 0, to: results.count, by: 64) {
      let group = results[start..<min(start + 64, results.count)]
      var written: [(folder: Directory, temporary: FileName, name: FileName)] = []
      do throws(SystemError) {
        for result in group {
          let folder = interior[result.folder]
          counter += 1
          let temporary = FileName(
            "\(Spool.temporaryPrefix)\(CurrentProcess.id)-\(result.claim.id)-\(counter)")
          let file = try folder.open(temporary, .createNew)
          written.append((folder, temporary, result.claim.trigger))
          try file.write(result.document)
          if group.count == 1 { try file.sync() } else { file.startWriteback() }
        }
        if group.count > 1 {
          for file in written { try file.folder.open(file.temporary, .read).sync() }
        }
        for file in written { try file.folder.replace(file.name, with: file.temporary) }
      } catch {
        // The claims are all still there. What was already published is published again, with the same content.
        for file in written { _ = try? file.folder.remove(file.temporary) }
        throw error
      }
    }
  }

  /// A name that is taken gets `.2`, `.3`, … appended; one that would get too long for that is cut.
  private func move(_ claim: Claim, to folder: SpoolFolder) throws(SystemError) {
    var number = 1
    while true {
      let suffix = number == 1 ? [] : Array(".\(number)".utf8)
      let name = FileName(bytes: Array(claim.trigger.bytes.prefix(255 - suffix.count)) + suffix)
      switch try claim.folder.move(claim.file, to: interior[folder], as: name) {
      case .moved: return
      // Finished by an earlier try of the same claim.
      case .vanished: return
      case .taken: number += 1
      }
    }
  }
}
