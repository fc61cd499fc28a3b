import Channels
import Posix
import Spool

/// The space that must be free in the spool before a job starts, and what is removed to have it.
struct SpaceReserve {
  /// A job needs this much for its log, its record and its result, in bytes.
  private static let needed: Int64 = 256 << 10

  let instance: Instance
  let store: SpoolStore

  /// Removes old results when space is short, however little that helps. To be called before anything is written.
  func tidyIfShort() throws(SystemError) {
    if try !space().isEnough { removeOldResults() }
  }

  /// - Throws: when there is too little space, also after old results were removed.
  func require() throws(SystemError) {
    if try space().isEnough { return }
    removeOldResults()
    let space = try space()
    if !space.isEnough { throw .noSpace(at: store.root.path, space) }
  }

  /// Removes what has been kept long enough. A failure is reported, and tried again by the next run.
  func removeOldResults() {
    do throws(SystemError) {
      let retention = ResultRetention(
        store: store, keepResults: instance.configuration.keepResults, now: .now())
      let removed = try retention.perform()
      if removed > 0 { instance.log.info("old results removed", ["files": String(removed)]) }
    } catch { instance.log.warning("old results not removed: \(error)") }
  }

  private func space() throws(SystemError) -> SystemError.Space {
    let space = try store.root.space(needed: Self.needed)
    if space.hasFiles { return space }
    // Some file systems (rclone) never account for further files, although files can be made.
    let canMakeFile = (try? store.spool.withScratchFile { _ in }) != nil
    return .init(free: space.free, needed: space.needed, hasFiles: canMakeFile)
  }
}
