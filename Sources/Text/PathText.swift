/// Paths as text. Nothing here asks the file system.
package enum PathText {
  /// The folder and the last name of a path. The folder of `/name` is `/`, and of `name` it is `.`.
  package static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
  }

  /// A name in a folder.
  package static func join(_ folder: String, _ name: String) -> String {
    folder == "/" ? "/\(name)" : "\(folder)/\(name)"
  }

  /// The folder of an absolute file path, without a trailing slash unless it is the root.
  package static func folder(of file: String) -> String {
    let parts = file.split(separator: "/").dropLast().filter { $0 != "." }
    return "/" + parts.joined(separator: "/")
  }

  /// `path` as an absolute path; a relative one is relative to `directory`.
  ///
  /// Leading `..` take folders off `directory`, whose symbolic links the caller has resolved. A `..` further on
  /// stays: the name before it may be a link, and then only the kernel knows where it leads.
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
