import Foundation
import Posix

extension TemporaryDirectory {
  /// Everything below a folder, so that a test can detect any change: a line for each entry of any kind, with its
  /// inode, mode, links, size, modification and change time (to the nanosecond), and the content of files.
  package func tree(_ folder: String) throws -> [String] {
    guard let names = FileManager.default.enumerator(atPath: "\(path)/\(folder)") else {
      throw Failure("there is no directory \(folder)")
    }
    let below = names.compactMap { $0 as? String }.sorted()
    return try ([folder] + below.map { "\(folder)/\($0)" }).map { name in
      var status = stat()
      guard lstat("\(path)/\(name)", &status) == 0 else { throw SystemError("examine", name, .init(errno)) }
      let content = status.st_mode & S_IFMT == S_IFREG ? try text(name) : ""
      return """
        \(name) \(status.st_ino) \(String(status.st_mode, radix: 8)) \(status.st_nlink) \(status.st_size) \
        \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec) \
        \(content)
        """
    }
  }
}
