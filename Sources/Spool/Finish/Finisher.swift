package import Posix

/// Finishes claims: claimed → done, failed, expired, rejected or cancelled.
///
/// Several claims are finished at once, because their shared work (the syncs of the directories) costs most. It takes
/// two steps, and the records are made durable between them: the first step writes everything that can be written
/// before the records are durable.
package final class Finisher {
  /// The result of the first step: result documents are written, under temporary names.
  package struct Preparation {
    fileprivate var moves: [(claim: Claim, folder: SpoolFolder)] = []
    fileprivate var results: [(claim: Claim, folder: SpoolFolder, temporary: FileName)] = []
  }

  /// From this many results on, one sync of the whole file system costs less than a sync of each result.
  private static let many = 8
  /// A sync of the whole file system that takes longer than this had to write much data of other programs: it is not
  /// repeated.
  private static let tooLong = Duration.milliseconds(250)

  private let store: SpoolStore
  private var counter = 0
  private var syncsWhole = true

  package init(_ store: SpoolStore) { self.store = store }

  /// Writes the result documents, under temporary names.
  package func prepare(
    _ finished: [(claim: Claim, disposition: Disposition)]
  ) throws(SystemError) -> Preparation {
    var preparation = Preparation()
    do throws(SystemError) {
      for (claim, disposition) in finished {
        switch disposition {
        case .result(let folder, let document): try write(document, of: claim, into: folder, &preparation)
        case .moved(let folder): preparation.moves.append((claim, folder))
        }
      }
    } catch {
      discard(preparation)
      throw error
    }
    return preparation
  }

  /// Finishes the claims. Each step is durable before the next begins: results synced, then published under their
  /// names, then the directories synced, and only then the claims removed. After a crash at any point, the next run
  /// again finishes the claims that are left.
  ///
  /// - Throws: the first failure, after the other claims were finished.
  package func complete(_ preparation: Preparation) throws(SystemError) {
    do throws(SystemError) {
      try sync(preparation.results)
    } catch {
      discard(preparation)
      throw error
    }
    var failure: SystemError?
    var touched: Set<SpoolFolder> = []
    var published: [Claim] = []
    for result in preparation.results {
      do throws(SystemError) {
        try publish(result.temporary, as: result.claim.trigger, in: store[result.folder])
        touched.insert(result.folder)
        published.append(result.claim)
      } catch {
        // For example, a folder has the result's name.
        failure = failure ?? error
        _ = try? store[result.folder].remove(result.temporary)
      }
    }
    for (claim, folder) in preparation.moves {
      do throws(SystemError) {
        try move(claim, to: folder)
        touched.insert(folder)
      } catch { failure = failure ?? error }
    }
    for folder in touched { try store[folder].sync() }
    for claim in published { try claim.folder.remove(claim.file) }
    if let failure { throw failure }
  }

  /// Removes the results that were written for claims that are not finished now. A result that cannot be removed now is
  /// removed later, with other old temporary files; the claims are all still there.
  package func discard(_ preparation: Preparation) {
    for result in preparation.results { _ = try? store[result.folder].remove(result.temporary) }
  }

  private func publish(
    _ temporary: FileName, as name: FileName, in folder: Directory
  ) throws(SystemError) {
    do throws(SystemError) { try folder.replace(name, with: temporary) } catch {
      // Somebody has made a directory with that name.
      guard error.code == .isDirectory, try folder.setAside(name) != nil else { throw error }
      try folder.replace(name, with: temporary)
    }
  }

  private func write(
    _ document: [UInt8], of claim: Claim, into folder: SpoolFolder, _ preparation: inout Preparation
  ) throws(SystemError) {
    while true {
      counter += 1
      let temporary = FileName("\(SpoolDirectory.temporaryPrefix)\(CurrentProcess.id)-\(claim.id)-\(counter)")
      let file: FileDescriptor
      do throws(SystemError) { file = try store[folder].open(temporary, .createNew) } catch {
        // Where process ids repeat (containers), a dead process with the same id may have left a file with that name.
        if error.code == .exists { continue }
        throw error
      }
      preparation.results.append((claim, folder, temporary))
      try file.write(document)
      if !syncsWhole { file.startWriteback() }
      return
    }
  }

  private func sync(_ results: [(claim: Claim, folder: SpoolFolder, temporary: FileName)]) throws(SystemError)
  {
    if results.count >= Self.many, syncsWhole {
      let begin = MonotonicTime.now()
      var isSynced = true
      for folder in Set(results.map(\.folder)) {
        isSynced = try store[folder].syncFileSystem() && isSynced
      }
      syncsWhole = isSynced && MonotonicTime.now() - begin < Self.tooLong
      if isSynced { return }
    }
    for result in results { try store[result.folder].open(result.temporary, .read).sync() }
  }

  private func move(_ claim: Claim, to folder: SpoolFolder) throws(SystemError) {
    if try claim.folder.moveNumbered(claim.file, to: store[folder], as: claim.trigger) != nil { return }
    // Finished by an earlier try of the same claim, if it is not the folder that has gone.
    if try store[folder].status().links > 0 { return }
    throw SystemError("move a file to", store[folder].path, .noSuchFile)
  }
}
