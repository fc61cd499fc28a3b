import Posix

/// The processor time that all threads of a process have used so far.
struct ProcessorUse {
  var seconds = 0.0
  /// How often the process yielded the processor voluntarily.
  var sleeps = 0

  init(_ process: Int32) throws {
    let tasks = "/proc/\(process)/task"
    for task in try Directory(path: tasks).names() {
      func text(_ name: String) throws -> String {
        String(decoding: try PathQueries.read("\(tasks)/\(task)/\(name)", limit: 8192), as: UTF8.self)
      }
      // Nanoseconds on a processor, nanoseconds waiting for a processor, number of time slices.
      guard let nanoseconds = (try? text("schedstat"))?.split(separator: " ").first.flatMap({ Double($0) })
      else {
        throw Unavailable("this kernel does not report processor time in nanoseconds (/proc/PID/schedstat)")
      }
      seconds += nanoseconds / 1e9
      for line in try text("status").split(separator: "\n") where line.hasPrefix("voluntary_ctxt_switches:") {
        sleeps += line.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) } ?? 0
      }
    }
  }
}
