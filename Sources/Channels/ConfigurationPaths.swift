/// The directories and the lock of a configuration, all absolute.
struct ConfigurationPaths {
  let directory: String
  let spool: String
  let library: String
  let lock: String

  /// The folders of the spool that are Bobbin's own: it removes what is old in them, and takes names in them.
  private static let spoolFolders: Set<String> = [
    "running", "done", "failed", "expired", "rejected", "cancelled", "logs", "channels",
  ]

  /// What else stands in the spool already, besides triggers.
  private static let spoolFiles: Set<String> = ["history.jsonl", "README.md"]

  /// Reads `spool`, `library` and `lock`. A path that is refused is replaced by its default, which does no harm,
  /// since the configuration as a whole is refused then.
  init(_ top: ObjectReader, directory: String) {
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
    } else if Self.isInSpoolFolder(Self.steps(of: library, below: spool)) {
      top.refuse(
        "library", "\(quoted(path("library", default: ""))) would be in a folder that is Bobbin's own",
        suggestion: "give it a place outside the spool")
    }
    let name = path("lock", default: "scheduler.lock")
    // Unlike the file's directory, the spool may be a symbolic link: its `..` are for the kernel to follow.
    let steps = name.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    lock = name.hasPrefix("/") ? absolute(name, in: "/") : spool + "/" + steps
    guard let entry = Self.steps(of: lock, below: spool) else { return }
    let fault: String? =
      if entry.isEmpty || (entry.count == 1 && Self.spoolFolders.union(Self.spoolFiles).contains(entry[0])) {
        "is something else in the spool"
      } else if Self.isInSpoolFolder(entry) {
        "would be in a folder that is Bobbin's own"
      } else if entry.count == 1, entry[0].hasSuffix(".json") {
        "would be taken for a trigger"
      } else if entry[0].hasPrefix(".") {
        "would be removed as a forgotten temporary file"
      } else {
        nil
      }
    if let fault {
      top.refuse("lock", "\(quoted(name)) \(fault)", suggestion: "for example \"scheduler.lock\"")
    }
  }

  private static func isInSpoolFolder(_ steps: [String]?) -> Bool {
    steps?.first.map { spoolFolders.contains($0) } ?? false
  }

  /// The names that lead from the spool to a path in it, `..` taken as if no name before it were a symbolic link; nil
  /// for a path that is not in the spool.
  private static func steps(of path: String, below spool: String) -> [String]? {
    func folded(_ path: String) -> [String] {
      path.split(separator: "/").reduce(into: []) { steps, step in
        if step == ".." { _ = steps.popLast() } else { steps.append(String(step)) }
      }
    }
    let (path, spool) = (folded(path), folded(spool))
    return path.starts(with: spool) ? Array(path.dropFirst(spool.count)) : nil
  }
}
