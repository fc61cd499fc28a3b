import Foundation
package import Posix

/// An empty directory for one test, removed when the test no longer refers to it.
package final class TemporaryDirectory: Sendable {
  /// Absolute, with symbolic links resolved.
  package let path: String

  package init() throws {
    let template = FileManager.default.temporaryDirectory.path + "/bobbin-test.XXXXXX"
    var bytes = Array(template.utf8CString)
    guard mkdtemp(&bytes) != nil, let resolved = realpath(bytes, nil) else {
      throw SystemError("make directory", template, .init(errno))
    }
    defer { free(resolved) }
    path = String(cString: resolved)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Opens the directory.
  package func open() throws -> Directory { try Directory(path: path) }

  /// The path of a file in the directory; the folders that lead to it are made.
  package func path(_ name: String) throws -> String {
    let full = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    return full
  }

  /// Writes a file.
  ///
  /// - Parameter age: how long ago the file was last modified; nil means now. Its ctime is always now.
  @discardableResult
  package func write(_ name: String, _ text: String = "", age: Duration? = nil) throws -> String {
    let file = try path(name)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    if let age { try setAge(name, age) }
    return file
  }

  /// Sets how long ago a file was last modified.
  package func setAge(_ name: String, _ age: Duration) throws {
    let date = Timestamp.now() + (.zero - age)
    let time = timespec(tv_sec: Int(date.seconds), tv_nsec: Int(date.nanoseconds))
    guard utimensat(AT_FDCWD, "\(path)/\(name)", [time, time], AT_SYMLINK_NOFOLLOW) == 0 else {
      throw SystemError("set the times of", name, .init(errno))
    }
  }

  package func exists(_ name: String) -> Bool {
    var status = stat()
    return lstat("\(path)/\(name)", &status) == 0
  }

  /// The content of a file as text.
  package func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")), as: UTF8.self)
  }

  /// The names in a folder of the directory, in byte order, without those that begin with a full stop. Empty when the
  /// folder does not exist.
  package func names(in folder: String = ".") throws -> [String] {
    guard exists(folder) else { return [] }
    return try Directory(path: "\(path)/\(folder)").names().sorted().map(\.description).filter {
      !$0.hasPrefix(".")
    }
  }
}
