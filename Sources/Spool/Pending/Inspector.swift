package import Posix

/// Examines the files under triggers' names, and decides whether they are complete.
package struct Inspector: Sendable {
  private let directory: Directory
  private let settle: Duration
  private let isForClaims: Bool

  /// - Parameters:
  ///   - settle: for how long a file must not have changed where the kernel does not tell whether somebody has it open
  ///     for writing.
  ///   - isForClaims: the files were complete when they were claimed, so what says a channel is not waited for again:
  ///     the claim itself has changed their change time.
  package init(_ directory: Directory, settle: Duration, isForClaims: Bool = false) {
    self.directory = directory
    self.settle = settle
    self.isForClaims = isForClaims
  }

  /// Examines and, if it may be a trigger, reads the file under a name. Never opens anything but a regular file with
  /// one name, never follows a link.
  ///
  /// - Parameter trigger: the trigger's own name, where the file has another one: a claim.
  package func inspect(
    _ name: FileName, of trigger: FileName? = nil, now: Timestamp
  ) throws(SystemError) -> Inspection {
    let triggerName = trigger ?? name
    guard let status = try directory.status(of: name) else { return .vanished }
    if let reason = rejectReason(for: status, name: triggerName) { return .invalid(reason, status) }
    if status.links > 1 {
      // `ln` and `rm` is a way to publish a file without replacing another: for an instant it has two names.
      return isUnchanged(status, at: now)
        ? .invalid(RejectReason("a hard link"), status)
        : .unsettled
    }
    let file: FileDescriptor
    do throws(SystemError) {
      guard let opened = try directory.openIfPresent(name) else { return .vanished }
      file = opened
    } catch {
      switch error.code {
      // RACE: exchanged for a symbolic link since the check above.
      case .tooManyLinks: return .invalid(RejectReason("a symbolic link"), status)
      // Somebody has a lease on it (a file server, for example), and the kernel has asked for it back.
      case .wouldBlock: return .unsettled
      case .accessDenied, .notPermitted:
        // `install -m 644` lets nobody read it for an instant.
        if !isUnchanged(status, at: now) { return .unsettled }
        return .invalid(
          RejectReason("may not be read by the batch's user (uid \(CurrentProcess.effectiveUser))"), status)
      default: throw error
      }
    }
    // RACE: the name may lead to another file by now; the opened file is the one that counts.
    let opened = try file.status()
    if let reason = rejectReason(for: opened, name: triggerName) { return .invalid(reason, opened) }
    let bytes = try file.readAll(expecting: opened.size, limit: TriggerContent.sizeLimit + 1)
    let trigger = Trigger(name: triggerName, file: opened, bytes: bytes)
    if case .object = trigger.content { return .settled(trigger) }
    if isForClaims, case .success = trigger.channels { return .settled(trigger) }
    switch file.isOpenForWriting() {
    case .some(true): return .unsettled
    case .some(false): return .settled(trigger)
    case .none:
      return isUnchanged(opened, at: now) ? .settled(trigger) : .unsettled
    }
  }

  /// Examines a file without opening it: enough for an empty file that nobody has changed for a while, as `touch`
  /// leaves it, and much cheaper for a spool full of them. For reporting what will be done, not for doing it: a writer
  /// that has the file open and has not begun to write goes unnoticed.
  ///
  /// - Returns: what is known of such a file; nil when it takes an inspection to tell.
  package func peek(_ name: FileName, now: Timestamp) throws(SystemError) -> FileStatus? {
    guard let status = try directory.status(of: name), status.kind == .regular, status.size == 0,
      status.links == 1, rejectReason(for: status, name: name) == nil, isUnchanged(status, at: now)
    else { return nil }
    return status
  }

  /// What a report says of a file: what a peek found, and the inspection that it takes otherwise.
  package func inspection(
    of name: FileName, _ peeked: FileStatus?, now: Timestamp
  ) throws(SystemError) -> Inspection {
    if let peeked { return .settled(Trigger(name: name, file: peeked, bytes: [])) }
    return try inspect(name, now: now)
  }

  private func rejectReason(for status: FileStatus, name: FileName) -> RejectReason? {
    if name.bytes.count > TriggerName.lengthLimit {
      return RejectReason("its name is longer than \(TriggerName.lengthLimit) bytes")
    }
    switch status.kind {
    case .regular: break
    case .directory: return RejectReason("a directory")
    case .symbolicLink: return RejectReason("a symbolic link")
    case .fifo: return RejectReason("a FIFO")
    case .socket: return RejectReason("a socket")
    case .characterDevice, .blockDevice: return RejectReason("a device")
    case .unknown: return RejectReason("not a regular file")
    }
    if status.size > TriggerContent.sizeLimit { return RejectReason("larger than 64 KiB") }
    return nil
  }

  /// Judged by the change time: a modification time can be set. A change in the future (the clock was set back) says
  /// nothing and must not keep the file for ever.
  private func isUnchanged(_ status: FileStatus, at now: Timestamp) -> Bool {
    let age = now - status.changed
    return age >= settle || age < .zero - settle
  }
}
