/// The folder of an absolute file path, without a trailing slash unless it is the root.
func folder(of file: String) -> String {
  let parts = file.split(separator: "/").dropLast().filter { $0 != "." }
  return "/" + parts.joined(separator: "/")
}

/// `path` as an absolute path, a relative one being relative to `directory`.
///
/// Leading `..` take folders off `directory`, whose symbolic links the caller has resolved. A `..` further on
/// stays: the name before it may be a link, and then only the kernel knows where it leads.
func absolute(_ path: String, in directory: String) -> String {
  var base = path.hasPrefix("/") ? [] : directory.split(separator: "/")
  var rest = path.split(separator: "/").filter { $0 != "." }[...]
  while rest.first == ".." {
    rest.removeFirst()
    _ = base.popLast()
  }
  base += rest
  return "/" + base.joined(separator: "/")
}
