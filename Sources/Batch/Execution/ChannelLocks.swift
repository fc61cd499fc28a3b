import Channels
import Jobs
import Posix
import Spool
import Text

/// One job of a channel at a time, even after a crash of the batch: the locks that the processes of jobs inherit.
final class ChannelLocks {
  enum Attempt: ~Copyable {
    case locked(FileLock)
    /// Processes of an earlier job still hold the lock; or the lock cannot be opened, or the library is missing, which are
    /// faults.
    case unavailable(String, isFault: Bool)
  }

  private let store: SpoolStore
  private let library: String
  private let log: Log
  private let stop: StopRequest
  /// The lock of the last job, kept because the next job is mostly of the same channel.
  private var kept: FileLock?
  private var keptChannel: Int64 = 0
  /// The channels whose orphans were judged in this run: many triggers may wait for one of them.
  private var judged: Set<Int64> = []

  /// - Parameter library: the directory in which each channel has its own.
  init(_ store: SpoolStore, library: String, log: Log, stop: StopRequest) {
    self.store = store
    self.library = library
    self.log = log
    self.stop = stop
  }

  /// Takes the lock of a channel, without waiting, unless an orphan that has run for longer than the channel's timeout
  /// must be ended first.
  ///
  /// - Throws: an error that keeps every channel from running.
  func acquire(_ channel: Channel) throws(SystemError) -> Attempt {
    if let reason = libraryFault(for: channel) { return .unavailable(reason, isFault: true) }
    if let kept = kept.take(), keptChannel == channel.id, try kept.renew() { return .locked(kept) }
    let name = FileName("\(channel.id).lock")
    do throws(SystemError) {
      if let lock = try acquire(name) { return .locked(lock) }
      if judged.insert(channel.id).inserted, endOverdueJob(of: channel, name), let lock = try acquire(name) {
        return .locked(lock)
      }
      return .unavailable(
        "processes of an earlier job are still running on channel \"\(channel.name)\"", isFault: false)
    } catch {
      // Root may have made the file, for example. It is not set aside: a job that root started may hold it.
      guard error.isRefusal else { throw error }
      return .unavailable(
        "the lock of channel \"\(channel.name)\" can't be taken: \(error); give the file to the user who runs the batch",
        isFault: true)
    }
  }

  /// Why the channel has no place for its files; nil when it has. The library itself is never made: if its disk is not
  /// mounted, another disk would be filled.
  private func libraryFault(for channel: Channel) -> String? {
    if PathQueries.exists(channel.directory) { return nil }
    do throws(SystemError) {
      if try PathQueries.targetStatus(library) != nil { return nil }
      return "the library '\(library)' is missing; mount its disk, or make it once: mkdir -p '\(library)'"
    } catch { return "the library cannot be examined: \(error)" }
  }

  private func acquire(_ name: FileName) throws(SystemError) -> FileLock? {
    let folder = store[.channels]
    do throws(SystemError) { return try FileLock.tryAcquire(name, in: folder) } catch {
      // A directory in its place must not keep the channel from running.
      guard error.code == .isDirectory, let other = try folder.setAside(name) else { throw error }
      log.warning("\(folder.path(of: name)) was not a file and is now \(other)")
      return try FileLock.tryAcquire(name, in: folder)
    }
  }

  /// Ends the job that holds the lock of a channel, if its batch was killed and it has run for longer than it may.
  ///
  /// - Returns: whether the lock may be free now.
  private func endOverdueJob(of channel: Channel, _ name: FileName) -> Bool {
    do throws(SystemError) {
      guard let file = try store[.channels].status(of: name), let job = try OrphanedJob(holding: file),
        job.age > channel.timeout
      else { return false }
      let isEnded = try job.end(by: channel.stopSignal, grace: channel.grace, stop: stop)
      log.warning(
        isEnded
          ? "ended a job of an earlier run, which was killed: the job was older than its channel's timeout"
          : "a job of an earlier run, which was killed, is older than its channel's timeout and still lives",
        [
          "channel": channel.name, "timeout": channel.timeout.brief, "age": job.age.brief,
          "processes": job.processes.map { String($0) }.joined(separator: ","),
        ])
      return isEnded
    } catch {
      log.warning("processes of an earlier job were not found: \(error)", ["channel": channel.name])
      return false
    }
  }

  /// Keeps the lock of a job that left no process behind: nobody else can hold it.
  func keep(_ lock: consuming FileLock, of channel: Channel) {
    keptChannel = channel.id
    kept = consume lock
  }

  func releaseKept() { kept = nil }
}
