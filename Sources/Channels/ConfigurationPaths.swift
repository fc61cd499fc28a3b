/// The directories and the lock of a configuration, all absolute.
struct ConfigurationPaths {
  let directory: String
  let spool: String
  let library: String
  let lock: String

  /// What stands in the spool already, besides triggers.
  private static let spoolNames: Set<String> = [
    "running", "done", "failed", "expired", "rejected", "cancelled", "logs", "channels", "history.jsonl",
    "README.md",
  ]

  /// Reads `spool`, `library` and `lock`. A path that is refused is replaced by its default, which does no harm,
  /// since the configuration as a whole is refused then.
  init(_ top: Section, directory: String) {
    func path(_ key: String, default fallback: String) -> String {
      guard let path = top.string(key, example: quoted(fallback)) else { return fallback }
      guard !path.isEmpty else {
        top.refuse(key, "the path is empty", suggestion: "for example \(quoted(fallback))")
        return fallback
      }
      // The shell's habit, not the kernel's: it would make a folder that is called ~.
      guard !path.hasPrefix("~") else {
        top.refuse(key, "~ is not replaced in \(quoted(path))", suggestion: "write the path in full")
        return fallback
      }
      return path
    }
    self.directory = directory
    spool = absolute(path("spool", default: "../spool"), in: directory)
    library = absolute(path("library", default: "../library"), in: directory)
    if spool == library {
      top.refuse(
        "library", "the same directory as the spool", suggestion: "give each a directory of its own")
    }
    let name = path("lock", default: "scheduler.lock")
    // Unlike the file's directory, the spool may be a symbolic link: its `..` are for the kernel to follow.
    let steps = name.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    lock = name.hasPrefix("/") ? absolute(name, in: "/") : spool + "/" + steps
    guard lock.hasPrefix(spool + "/") || lock == spool else { return }
    let entry = String(lock.dropFirst(spool.count + 1))
    let fault: String? =
      if entry.hasSuffix(".json") && !entry.contains("/") {
        "would be taken for a trigger"
      } else if entry.hasPrefix(".") && !entry.hasPrefix("../") {
        "would be removed as a forgotten temporary file"
      } else if entry.isEmpty || Self.spoolNames.contains(entry) {
        "is something else in the spool"
      } else {
        nil
      }
    if let fault {
      top.refuse("lock", "\(quoted(name)) \(fault)", suggestion: "for example \"scheduler.lock\"")
    }
  }
}
