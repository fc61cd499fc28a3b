import Channels
import Posix
import Spool

/// One job of a channel at a time, also after a crash of the batch: the lock that a job's processes inherit.
extension Run {
  enum ChannelLocking: ~Copyable {
    case locked(FileLock)
    /// For a reason that concerns this channel alone: processes of an earlier job still hold it, or it can't be opened,
    /// which is a fault.
    case unavailable(String, isFault: Bool)
  }

  /// - Throws: what keeps every channel from running.
  func lockChannel(_ channel: Channel) throws(SystemError) -> ChannelLocking {
    if let kept = keptLock.take(), keptLockChannel == channel.id, try kept.renew() { return .locked(kept) }
    let name = FileName("\(channel.id).lock")
    do throws(SystemError) {
      if let lock = try acquire(name) { return .locked(lock) }
      return .unavailable(
        "processes of an earlier job still work on channel \"\(channel.name)\"", isFault: false)
    } catch {
      // Root may have made it, for example. Not put aside: a job of root's may hold it.
      guard error.isRefusal else { throw error }
      hasTrouble = true
      return .unavailable(
        "the lock of channel \"\(channel.name)\" can't be taken: \(error); give the file to the user that runs the batch",
        isFault: true)
    }
  }

  private func acquire(_ name: FileName) throws(SystemError) -> FileLock? {
    do throws(SystemError) { return try FileLock.tryAcquire(name, in: store[.channels]) } catch {
      // A directory in its place must not keep the channels from running.
      guard error.code == .isDirectory, let other = try store[.channels].setAside(name) else {
        throw error
      }
      batch.log.warning("\(store[.channels].path(of: name)) was no file and is now \(other)")
      return try FileLock.tryAcquire(name, in: store[.channels])
    }
  }

  /// Keeps a channel's lock for the next job, which mostly is of the same channel, if the last job surely left no process
  /// that holds it, too.
  func keep(_ lock: consuming FileLock, of channel: Channel) {
    guard runner.hasLeftNothingBehind else { return }
    keptLockChannel = channel.id
    keptLock = consume lock
  }

  func releaseKeptLock() { keptLock = nil }
}
