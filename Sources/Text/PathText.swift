/// Paths as text. Nothing here accesses the file system.
package enum PathText {
  /// The folder and the last name of a path. The folder of `/name` is `/`, and the folder of `name` is `.`.
  package static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
  }

  /// The path of a name in a folder.
  package static func join(_ folder: String, _ name: String) -> String {
    folder == "/" ? "/\(name)" : "\(folder)/\(name)"
  }

  /// The folder of an absolute file path, without a trailing slash unless the folder is the root.
  package static func folder(of file: String) -> String {
    let parts = file.split(separator: "/").dropLast().filter { $0 != "." }
    return "/" + parts.joined(separator: "/")
  }

  /// `path` as an absolute path; a relative path is relative to `directory`.
  ///
  /// Each leading `..` removes a folder from the end of `directory`, whose symbolic links the caller has resolved. A
  /// later `..` stays: the name before it may be a link, and then only the kernel knows where the link leads.
  package static func absolute(_ path: String, in directory: String) -> String {
    var base = path.hasPrefix("/") ? [] : directory.split(separator: "/")
    var rest = path.split(separator: "/").filter { $0 != "." }[...]
    while rest.first == ".." {
      rest.removeFirst()
      _ = base.popLast()
    }
    base += rest
    return "/" + base.joined(separator: "/")
  }
}
