import Channels
import Posix
import Spool

extension Run {
  /// Gives up the triggers that are too old, and the files that can't be triggers.
  func expireStale() throws(SystemError) {
    var pending = PendingList()
    try pending.refresh(from: store.root, skipping: deferred.pending)
    while let name = pending.first {
      pending.removeFirst()
      if isStopping { return }
      switch try inspect(name) {
      case nil, .vanished, .unsettled: continue
      case .odd(let reason, let file): try giveUp(name, file, .rejected, reason.text)
      case .settled(let trigger):
        if case .failure(let reason) = trigger.channels {
          try giveUp(name, trigger.file, .rejected, reason.text)
        } else if isStale(trigger) {
          try expire(trigger)
        }
      }
    }
  }
}
