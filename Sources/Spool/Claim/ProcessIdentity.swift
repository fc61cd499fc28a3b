package import Posix

/// The name of a process's folder in `running/`: `<boot>-<namespace>-<pid>-<start time>`. Two processes of one host
/// never have the same identity, and any process can tell whether the owner still lives.
package struct ProcessIdentity: Sendable, Equatable {
  private let boot: String
  private let namespace: String
  package let process: Int32
  private let startTime: UInt64

  /// This process.
  package static func current() -> ProcessIdentity {
    let id = CurrentProcess.id
    return ProcessIdentity(
      boot: String(ProcessTable.bootIdentifier().filter(\.isHexDigit).prefix(12)),
      namespace: ProcessTable.namespaceIdentifier().filter(\.isNumber), process: id,
      startTime: ProcessTable.startTime(of: id) ?? 0)
  }

  private init(boot: String, namespace: String, process: Int32, startTime: UInt64) {
    self.boot = boot
    self.namespace = namespace
    self.process = process
    self.startTime = startTime
  }

  package var folder: FileName { FileName("\(boot)-\(namespace)-\(process)-\(startTime)") }

  /// - Returns: nil for a name that is not an owner's.
  package init?(_ folder: FileName) {
    let parts = (folder.text ?? "").split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 4, let process = Int32(parts[2]), let startTime = UInt64(parts[3]) else {
      return nil
    }
    self.init(boot: String(parts[0]), namespace: String(parts[1]), process: process, startTime: startTime)
    // Only what Bobbin writes is accepted: the folder is found again by the name made from its parts.
    if self.folder != folder { return nil }
  }

  /// Whether the process lives: true or false for one of this boot and this process id namespace that `/proc` shows; nil
  /// for any other, of which only a lock that it holds can tell.
  ///
  /// Two processes of one boot may know it by different names: a container, or a systemd unit in one, can have a
  /// `boot_id` of its own over the kernel's. So a process that is found under its id with its start time lives, whatever
  /// the names say; one that is not found is known to be dead only if they agree.
  package func isAlive(asSeenBy observer: ProcessIdentity) -> Bool? {
    let isSameBoot = !boot.isEmpty && boot == observer.boot
    if namespace != observer.namespace || (namespace.isEmpty && !isSameBoot) { return nil }
    switch ProcessTable.state(of: process) {
    case .started(let time): return time == startTime ? true : isSameBoot ? false : nil
    case .ended: return isSameBoot ? false : nil
    case .hidden: return nil
    }
  }

  /// Whether there is a process of its id that `/proc` does not show to the observer, in one process id namespace.
  package func isHidden(from observer: ProcessIdentity) -> Bool {
    namespace == observer.namespace && ProcessTable.state(of: process) == .hidden
  }

  /// Whether both are of one boot of one machine, as far as is known. Processes of another boot of this host are dead.
  package func isOfSameBoot(as other: ProcessIdentity) -> Bool {
    boot.isEmpty || other.boot.isEmpty || boot == other.boot
  }
}
