import CBenchmark
import FoundationEssentials
import Posix
import Spool
import Text

/// An instance of Bobbin: a configuration whose one channel runs /bin/true, and a spool.
struct BenchmarkInstance {
  let directory: String
  var configuration: String { "\(directory)/etc/bobbin.json5" }
  var spool: String { "\(directory)/spool" }

  /// Makes it.
  init(_ directory: String) throws {
    self.directory = directory
    for folder in ["etc", "spool", "library"] { try PathQueries.makeDirectories("\(directory)/\(folder)") }
    // Nothing expires: writing a million files takes its time.
    let text = """
      { spool: "../spool", library: "../library", expire_after: "0", settle: "0",
        channels: [{ id: 1, name: "nothing", command: ["/bin/true"] }] }

      """
    try Data(text.utf8).write(to: URL(filePath: configuration))
  }

  /// The words that call the program on it, without a log line for each job.
  func command(_ bobbin: String, _ words: String...) -> [String] {
    [bobbin, "--config", configuration, "--quiet"] + words
  }

  /// A trigger's content as `bobbin trigger` writes it.
  static func content(at moment: Timestamp) -> [UInt8] {
    JSONValue.object([
      ("channel_id", .integer(1)), ("user", .string("benchmark")),
      ("timestamp", .string(moment.rfc3339(fractionDigits: 6))),
    ]).line
  }

  /// How triggers come into a spool.
  enum Filling {
    /// Named and worded as `bobbin trigger` does it, but not synced one by one.
    case written
    /// Under the same names, empty: `touch` is enough.
    case touched
  }

  /// Puts triggers into the spool.
  func fill(_ count: Int, _ filling: Filling = .written) throws {
    let directory = try Directory(path: spool)
    // Far enough back that no name lies in the future.
    let begin = Timestamp(seconds: Timestamp.now().seconds - 3_600)
    for number in 0..<count {
      if number.isMultiple(of: 1_000) { try Interrupted.check() }
      let moment = begin + .microseconds(number)
      let file = try directory.open(TriggerName.make(moment, channel: 1), .createNew, mode: 0o644)
      if filling == .written { try file.write(Self.content(at: moment)) }
    }
  }

  /// - Throws: when the file system has no room for so many triggers, and what becomes of some of them.
  func requireRoom(for count: Int) throws {
    let free = try Directory(path: spool).freeSpace()
    let needed = Int64(count) * 6_000
    if free < needed {
      throw Failure(
        "\(fixed(Double(needed) / 1e9, 1)) GB needed in \(spool), \(fixed(Double(free) / 1e9, 1)) free")
    }
  }

  /// How many entries a folder of the spool has.
  func count(in folder: String) throws -> Int {
    var count = 0
    try Directory(path: "\(spool)/\(folder)").forEachName { _ in count += 1 }
    return count
  }

  /// Works the spool off with the program.
  ///
  /// - Returns: the seconds from its start to its end.
  /// - Throws: also when not all `count` triggers have succeeded.
  func drain(_ count: Int, with bobbin: String) throws -> Double {
    let end = try Program.run(command(bobbin, "run", "--spool-only"))
    let done = try self.count(in: "done")
    if done != count { throw Failure("\(done) of \(count) triggers are in \(spool)/done after a drain") }
    return end.seconds
  }
}

extension Workbench {
  /// Drains a fresh spool of that size.
  ///
  /// - Returns: the seconds it took.
  func drain(_ count: Int) throws -> Double {
    let instance = try instance()
    try instance.requireRoom(for: count)
    try instance.fill(count)
    try settle()
    let seconds = try instance.drain(count, with: bobbin)
    try discard(instance, of: count)
    try settle()
    return seconds
  }

  /// Starts /bin/true so often, with nothing around it.
  ///
  /// - Returns: the seconds it took.
  func spawn(_ count: Int) throws -> Double {
    try settle()
    return try seconds(bare_spawn_loop(Int32(count)), "start /bin/true")
  }

  /// A result of a bare loop in seconds.
  func seconds(_ result: Int64, _ what: String) throws -> Double {
    if result < 0 { throw SystemError(what, nil, .init(Int32(-result))) }
    return Double(result) / 1e9
  }
}
