import Text

/// Reads `spool`, `library` and `lock`: the directories and the lock of a configuration, all absolute.
struct PathsReader {
  let directory: String
  let spool: String
  let library: String
  let lock: String

  /// A path that is refused is replaced by its default. This is harmless, because the configuration as a whole is then
  /// refused.
  init(_ top: ObjectReader, directory: String, reserved: ReservedNames) {
    self.directory = directory
    spool = PathText.absolute(Self.path("spool", default: "../spool", top), in: directory)
    let libraryText = Self.path("library", default: "../library", top)
    library = PathText.absolute(libraryText, in: directory)
    if spool == library {
      top.refuse(
        "library", "the same directory as the spool", suggestion: "give each a directory of its own")
    } else if let first = Self.steps(of: library, below: spool)?.first, reserved.folders.contains(first) {
      top.refuse(
        "library", "\(libraryText.quoted()) would be in one of Bobbin's own folders",
        suggestion: "give it a place outside the spool")
    }
    let lockText = Self.path("lock", default: "scheduler.lock", top)
    // Unlike the file's directory, the spool may be a symbolic link, so only the kernel can follow `..` from there.
    let steps = lockText.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    lock = lockText.hasPrefix("/") ? PathText.absolute(lockText, in: "/") : spool + "/" + steps
    if let fault = Self.fault(ofLock: Self.steps(of: lock, below: spool), reserved) {
      top.refuse("lock", "\(lockText.quoted()) \(fault)", suggestion: "for example \"scheduler.lock\"")
    }
  }

  private static func path(_ key: String, default fallback: String, _ top: ObjectReader) -> String {
    guard let path = top.string(key, example: fallback.quoted()) else { return fallback }
    guard !path.isEmpty else {
      top.refuse(key, "the path is empty", suggestion: "for example \(fallback.quoted())")
      return fallback
    }
    // The shell replaces ~, but the kernel does not: a folder that is called ~ would be made.
    guard !path.hasPrefix("~") else {
      top.refuse(key, "~ is not replaced in \(path.quoted())", suggestion: "write the path in full")
      return fallback
    }
    return path
  }

  /// Why the lock cannot have this path; nil for a path that is allowed.
  ///
  /// - Parameter steps: the names that lead to it from the spool; nil for a path outside the spool.
  private static func fault(ofLock steps: [String]?, _ reserved: ReservedNames) -> String? {
    guard let steps else { return nil }
    guard let first = steps.first else { return "is something else in the spool" }
    if steps.count > 1 {
      if reserved.folders.contains(first) { return "would be in one of Bobbin's own folders" }
    } else {
      if reserved.folders.contains(first) || reserved.isFile(first) {
        return "is something else in the spool"
      }
      if first.hasSuffix(".json") { return "would be taken for a trigger" }
    }
    if first.hasPrefix(".") { return "begins with a full stop, as the names of Bobbin's own hidden files do" }
    return nil
  }

  /// The names that lead from the spool to a path in it; nil for a path that is not in the spool. `..` is resolved as
  /// if no name before it were a symbolic link.
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
