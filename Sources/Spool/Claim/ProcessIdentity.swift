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

  /// Whether the process lives: true or false for a process of this boot and this process id namespace; nil for any
  /// other process, because only the lock on its folder can tell.
  package func isAlive(asSeenBy observer: ProcessIdentity) -> Bool? {
    if boot.isEmpty || boot != observer.boot || namespace != observer.namespace { return nil }
    return ProcessTable.startTime(of: process) == startTime
  }

  /// Whether both are of one boot of one machine, as far as is known. Processes of another boot of this host are dead.
  package func isOfSameBoot(as other: ProcessIdentity) -> Bool {
    boot.isEmpty || other.boot.isEmpty || boot == other.boot
  }
}
