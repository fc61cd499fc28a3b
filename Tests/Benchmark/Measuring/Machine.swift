import FoundationEssentials
import Posix

/// The machine on which the figures were measured.
struct Machine: Codable, Equatable {
  let processor: String
  let cores: Int
  let kernel: String
  let fileSystem: String
  let directory: String
  /// The machine's load when the benchmark began: other programs may have been running.
  let load: String
  let isDebugBuild: Bool

  /// - Parameter directory: where the spools are.
  init(directory: String) throws {
    self.directory = directory
    func text(_ path: String) -> String {
      let bytes = (try? PathQueries.read(path, limit: 1 << 20)) ?? []
      return String(decoding: bytes, as: UTF8.self)
    }
    processor = Self.processor(in: text("/proc/cpuinfo")) ?? "unknown processor"
    cores = ProcessInfo.processInfo.activeProcessorCount
    kernel = text("/proc/sys/kernel/osrelease").split(separator: "\n").first.map(String.init) ?? "unknown"
    fileSystem = Self.fileSystem(of: directory, in: text("/proc/self/mountinfo")) ?? "unknown"
    load = text("/proc/loadavg").split(separator: " ").first.map(String.init) ?? "unknown"
    #if DEBUG
      isDebugBuild = true
    #else
      isDebugBuild = false
    #endif
  }

  /// The machine in one line.
  var caption: String { "\(processor), \(cores) cores, Linux \(kernel), \(fileSystem)" }

  /// The processor's name as `/proc/cpuinfo` gives it; nil on an architecture that does not give it.
  static func processor(in text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, ["model name", "Model", "cpu model"].contains(parts[0].trimmed) else {
        continue
      }
      return parts[1].trimmed
    }
    return nil
  }

  /// The type of the file system that holds a path, as `/proc/self/mountinfo` gives it.
  ///
  /// - Parameter path: absolute, without symbolic links.
  static func fileSystem(of path: String, in mounts: String) -> String? {
    var best: (length: Int, type: String)?
    for line in mounts.split(separator: "\n") {
      // 36 35 98:0 /root /mount/point options optional-fields… - type source options
      let fields = line.split(separator: " ")
      guard let dash = fields.firstIndex(of: "-"), dash >= 5, dash + 1 < fields.count else { continue }
      let point = fields[4]
      let covers = point == "/" || path == point || path.hasPrefix("\(point)/")
      // Of two mounts at the same point, the later mount covers the earlier.
      if covers, point.count >= best?.length ?? 0 { best = (point.count, String(fields[dash + 1])) }
    }
    return best?.type
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var text = self
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text.drop { $0.isWhitespace })
  }
}
