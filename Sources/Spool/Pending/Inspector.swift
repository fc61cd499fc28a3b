package import Posix

/// Examines the files under triggers' names, and decides whether they are complete.
package struct Inspector: Sendable {
  private let directory: Directory
  private let rules: SettleRules
  private let isForClaims: Bool
  private let leases: Leases?

  /// - Parameters:
  ///   - isForClaims: the files were complete when they were claimed, so what says a channel is not waited for again:
  ///     the claim itself has changed their change time.
  ///   - leases: find out whether a refused lease tells anything, which may make a file in the spool for an instant; nil
  ///     for reports, which believe it.
  package init(
    _ directory: Directory, _ rules: SettleRules, isForClaims: Bool = false, leases: Leases? = nil
  ) {
    self.directory = directory
    self.rules = rules
    self.isForClaims = isForClaims
    self.leases = leases
  }

  /// Examines the file under a name and, if it may be a trigger, reads it. Opens only a regular file with one name, and
  /// never follows a link.
  ///
  /// - Parameter trigger: the trigger's own name, if the file has another name because it is a claim.
  package func inspect(
    _ name: FileName, of trigger: FileName? = nil, now: Timestamp
  ) throws(SystemError) -> Inspection {
    let triggerName = trigger ?? name
    guard let status = try directory.status(of: name) else { return .vanished }
    if let reason = rejectReason(for: status, name: triggerName) { return .invalid(reason, status) }
    if status.links > 1 {
      // `ln` and then `rm` publishes a file without replacing another: for an instant the file has two names.
      return hasRested(status, rules.restBeforeCondemning(.invalid("")), at: now)
        ? .invalid(RejectReason("a hard link"), status) : .unsettled(status)
    }
    let file: FileDescriptor
    do throws(SystemError) {
      guard let opened = try directory.openIfPresent(name) else { return .vanished }
      file = opened
    } catch {
      switch error.code {
      // RACE: the file was replaced by a symbolic link after the check above.
      case .tooManyLinks: return .invalid(RejectReason("a symbolic link"), status)
      // Somebody has a lease on it (a file server, for example), and the kernel has asked for it back.
      case .wouldBlock: return .unsettled(status)
      case .accessDenied, .notPermitted: return inspectUnreadable(triggerName, status, now: now)
      default: throw error
      }
    }
    // RACE: the name may lead to another file by now; only the opened file counts.
    let opened = try file.status()
    if let reason = rejectReason(for: opened, name: triggerName) { return .invalid(reason, opened) }
    let bytes = try file.readAll(expecting: opened.size, limit: TriggerContent.sizeLimit + 1)
    let trigger = Trigger(name: triggerName, file: opened, bytes: bytes)
    if isForClaims, case .success = trigger.channels { return .claimed(trigger) }
    let isOpen = isOpenForWriting(file)
    let needed = rules.restBeforeTaking(trigger.content, isOpen: isOpen, isForeign: isForeign(opened))
    guard isOpen != true, hasRested(opened, needed, at: now) else { return .unsettled(opened) }
    return .settled(trigger, rested: rules.rested(opened, at: now))
  }

  /// A file that the batch's user may not read (dropped under a umask of 027 or 077). Its name is enough if it is empty.
  private func inspectUnreadable(_ name: FileName, _ status: FileStatus, now: Timestamp) -> Inspection {
    if status.size == 0 {
      let trigger = Trigger(name: name, file: status, bytes: [])
      if isForClaims, case .success = trigger.channels { return .claimed(trigger) }
      let needed = rules.restBeforeTaking(trigger.content, isOpen: nil, isForeign: isForeign(status))
      return hasRested(status, needed, at: now)
        ? .settled(trigger, rested: rules.rested(status, at: now)) : .unsettled(status)
    }
    let trigger = Trigger(unreadable: name, file: status)
    // It could be read when it was claimed. To wait for its owner would be to forget the attempts that are counted.
    if isForClaims, case .failure(let reason) = trigger.channels { return .invalid(reason, status) }
    // `install -m 644` makes a file that nobody may read for an instant.
    return hasRested(status, rules.restBeforeCondemning(trigger.content), at: now)
      ? .unreadable(trigger) : .unsettled(status)
  }

  private func isOpenForWriting(_ file: borrowing FileDescriptor) -> Bool? {
    if let leases { leases.isOpenForWriting(file) } else { file.isOpenForWriting() }
  }

  /// Examines a file without opening it: enough for an empty file that nobody has changed for a while, as `touch`
  /// leaves it, and much cheaper for a spool full of them. For reporting what will be done, not for doing it: a writer
  /// that has the file open and has not begun to write goes unnoticed.
  ///
  /// - Returns: what is known about such a file; nil when only an inspection can tell.
  package func peek(_ name: FileName, now: Timestamp) throws(SystemError) -> FileStatus? {
    guard let status = try directory.status(of: name), status.kind == .regular, status.size == 0,
      status.links == 1, rejectReason(for: status, name: name) == nil,
      hasRested(status, rules.restBeforePeeking(isForeign: isForeign(status)), at: now)
    else { return nil }
    return status
  }

  /// The inspection of a file for a report: based on what a peek found, otherwise on a full inspection.
  package func inspection(
    of name: FileName, _ peeked: FileStatus?, now: Timestamp
  ) throws(SystemError) -> Inspection {
    if let peeked {
      return .settled(Trigger(name: name, file: peeked, bytes: []), rested: rules.rested(peeked, at: now))
    }
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

  private func hasRested(_ status: FileStatus, _ needed: Duration, at now: Timestamp) -> Bool {
    rules.rested(status, at: now) >= needed
  }

  private func isForeign(_ status: FileStatus) -> Bool { status.owner != CurrentProcess.effectiveUser }
}
