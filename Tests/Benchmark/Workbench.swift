import CBenchmark
import FoundationEssentials
import Posix

/// The options, the program that is measured, and a folder for the spools, which is removed at the end.
final class Workbench {
  let options: Options
  /// The program that is measured.
  let bobbin: String
  /// Absolute, without symbolic links.
  let directory: String
  /// Syncing this file syncs the file system that holds it.
  private let anchor: FileDescriptor
  private var instances = 0
  private var huge: [BenchmarkInstance.Filling: BenchmarkInstance] = [:]

  var sizes: Sizes { options.sizes }

  init(_ options: Options) throws {
    self.options = options
    bobbin = try options.bobbin ?? Self.programBesideBenchmark()
    guard PathQueries.allows(.execute, bobbin) else {
      throw Failure(
        "cannot execute \(bobbin); build it (swift build -c release) or name another with --bobbin")
    }
    // Not /tmp, which may be in memory: a sync costs nothing there, and the figures would mean nothing.
    let base = options.directory ?? CurrentProcess.environment("TMPDIR") ?? "/var/tmp"
    try PathQueries.makeDirectories(base)
    let name = FileName("bobbin-benchmark-\(CurrentProcess.id)")
    let parent = try Directory(path: base)
    guard try parent.makeDirectory(name, mode: 0o700) else {
      throw Failure("\(base)/\(name) already exists")
    }
    directory = URL(filePath: base, directoryHint: .isDirectory).resolvingSymlinksInPath().path + "/\(name)"
    // This fails on a file system other than ext4, where it is not needed.
    _ = spread_directories(directory)
    anchor = try parent.directory(name).open(FileName("anchor"), .createNew)
    guard interrupts_heed() == 0 else { throw Failure("cannot handle signals") }
  }

  deinit {
    progress("removing \(directory)")
    // Not in this process: a million names would add to its own peak memory (see CBenchmark.h).
    // RACE: a terminal sends an interrupt to the whole process group. It may end the removal, which is then repeated.
    for _ in 1...3 {
      guard let program = try? Program(["/bin/rm", "-rf", directory]) else { break }
      if (try? program.end().status) == 0 { break }
    }
    progress(nil)
  }

  private static func programBesideBenchmark() throws -> String {
    let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    guard let slash = path.lastIndex(of: "/") else { return "bobbin" }
    return path[..<slash] + "/bobbin"
  }

  func bobbinVersion() throws -> String {
    let file = path("version")
    try Program.run([bobbin, "--version"], output: file)
    return String(decoding: try PathQueries.read(file, limit: 1024).prefix { $0 != 0x0A }, as: UTF8.self)
  }

  func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// A new instance of Bobbin, with an empty spool.
  func instance() throws -> BenchmarkInstance {
    instances += 1
    return try BenchmarkInstance(path("\(instances)"))
  }

  /// The instance with the huge spool. The rows share it, because making it takes half a minute and several gigabytes.
  func hugeInstance(_ filling: BenchmarkInstance.Filling = .written) throws -> BenchmarkInstance {
    if let instance = huge[filling] { return instance }
    let instance = try instance()
    try instance.requireRoom(for: sizes.pending)
    progress("writing \(sizes.pending) files")
    try instance.fill(sizes.pending, filling)
    try syncDisk()
    huge[filling] = instance
    return instance
  }

  /// Writes everything to the disk, so that earlier writes do not slow down the next measurement.
  func syncDisk() throws {
    try Interrupted.check()
    try anchor.syncFileSystem()
  }

  /// Removes an instance that is no longer needed. A small instance stays until the end, because removing thousands of
  /// files just before a measurement slows it down (an SSD discards their blocks; ext4 without a journal searches for
  /// inodes that were not freed recently).
  func discard(_ instance: BenchmarkInstance, of files: Int) throws {
    if files > 10_000 { try Program.run(["/bin/rm", "-rf", instance.directory]) }
  }

  func write(_ text: String, to file: String) throws {
    try Data(text.utf8).write(to: URL(filePath: file))
  }

  /// Shows on a terminal what is being done, on one line that is overwritten. Nil removes the line.
  func progress(_ text: String?) {
    guard StandardStream.error.isTerminal else { return }
    try? StandardStream.error.write("\r\u{1B}[K\(text ?? "")")
  }

  func progress(_ row: Row, _ turn: Int, of count: Int) {
    progress("row \(row.rawValue), \(row.title): \(turn) of \(count)")
  }
}
