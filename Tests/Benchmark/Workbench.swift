import CBenchmark
import FoundationEssentials
import Posix

/// Where everything is measured: the options, the program, a folder for the spools that is removed at the end.
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
    bobbin = try options.bobbin ?? Self.besideThis()
    guard PathQueries.allows(.execute, bobbin) else {
      throw Failure("no program \(bobbin); build it (swift build -c release) or name one with --bobbin")
    }
    // Not /tmp: where that is kept in memory, a sync costs nothing and the figures mean nothing.
    let base = options.directory ?? CurrentProcess.environment("TMPDIR") ?? "/var/tmp"
    try PathQueries.makeDirectories(base)
    let name = FileName("bobbin-benchmark-\(CurrentProcess.id)")
    let parent = try Directory(path: base)
    guard try parent.makeDirectory(name, mode: 0o700) else {
      throw Failure("\(base)/\(name) is there already")
    }
    directory = URL(filePath: base, directoryHint: .isDirectory).resolvingSymlinksInPath().path + "/\(name)"
    // Where it is not possible (another file system than ext4) it is not needed.
    _ = spread_directories(directory)
    anchor = try parent.directory(name).open(FileName("anchor"), .createNew)
    guard interrupts_heed() == 0 else { throw Failure("cannot handle signals") }
  }

  deinit {
    progress("removing \(directory)")
    // Not in this process: a million names would become part of what it has resident (see CBenchmark.h).
    // RACE: a terminal sends an interrupt to the whole group; the removal may be hit by it, and begins again.
    for _ in 1...3 {
      guard let program = try? Program(["/bin/rm", "-rf", directory]) else { break }
      if (try? program.end().status) == 0 { break }
    }
    progress(nil)
  }

  private static func besideThis() throws -> String {
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

  /// An instance of Bobbin of its own, with an empty spool.
  func instance() throws -> BenchmarkInstance {
    instances += 1
    return try BenchmarkInstance(path("\(instances)"))
  }

  /// The one with the huge spool. Making it takes half a minute and some gigabytes, so that all who need it share it.
  func hugeInstance(_ filling: BenchmarkInstance.Filling = .written) throws -> BenchmarkInstance {
    if let instance = huge[filling] { return instance }
    let instance = try instance()
    try instance.requireRoom(for: sizes.pending)
    progress("writing \(sizes.pending) files")
    try instance.fill(sizes.pending, filling)
    try settle()
    huge[filling] = instance
    return instance
  }

  /// Lets the disk catch up, so that what was written before is not counted to what is measured next.
  func settle() throws {
    try Interrupted.check()
    try anchor.syncFileSystem()
  }

  /// Gives up an instance that is no longer needed. A small one stays until the end: removing thousands of files just
  /// before a measurement is seen in it (an SSD discards their blocks, ext4 without a journal searches for inodes that were
  /// not freed just before).
  func discard(_ instance: BenchmarkInstance, of files: Int) throws {
    if files > 10_000 { try Program.run(["/bin/rm", "-rf", instance.directory]) }
  }

  func write(_ text: String, to file: String) throws {
    try Data(text.utf8).write(to: URL(filePath: file))
  }

  /// Says what is being done, on one line that is overwritten, to a person who waits.
  func progress(_ text: String?) {
    guard StandardStream.error.isTerminal else { return }
    try? StandardStream.error.write("\r\u{1B}[K\(text ?? "")")
  }

  func progress(_ row: Row, _ turn: Int, of count: Int) {
    progress("row \(row.rawValue), \(row.title): \(turn) of \(count)")
  }
}
