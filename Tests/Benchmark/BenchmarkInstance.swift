import FoundationEssentials
import Posix
import Spool
import Text

/// An instance of Bobbin: a configuration whose one channel runs /bin/true, and a spool.
struct BenchmarkInstance {
  let directory: String
  var configuration: String { "\(directory)/etc/bobbin.json5" }
  var spool: String { "\(directory)/spool" }

  /// Makes the directory, the configuration and the empty spool.
  init(_ directory: String) throws {
    self.directory = directory
    for folder in ["etc", "spool", "library"] { try PathQueries.makeDirectories("\(directory)/\(folder)") }
    // Nothing may expire, because writing a million files takes a long time.
    let text = """
      { spool: "../spool", library: "../library", expire_after: "0", settle: "0",
        channels: [{ id: 1, name: "nothing", command: ["/bin/true"] }] }

      """
    try Data(text.utf8).write(to: URL(filePath: configuration))
  }

  /// The command line that runs the program on this instance, without a log line for each job.
  func command(_ bobbin: String, _ words: String...) -> [String] {
    [bobbin, "--config", configuration, "--quiet"] + words
  }

  /// A trigger's content as `bobbin trigger` writes it.
  static func content(at date: Timestamp) -> [UInt8] {
    JSONValue.object([
      ("channel_id", .integer(1)), ("user", .string("benchmark")),
      ("timestamp", .string(date.rfc3339(fractionDigits: 6))),
    ]).line
  }

  /// How triggers are put into a spool.
  enum Filling {
    /// With the names and the content that `bobbin trigger` writes, but not synced one by one.
    case written
    /// With the same names, but empty, as `touch` makes them.
    case touched
  }

  /// Puts triggers into the spool.
  func fill(_ count: Int, _ filling: Filling = .written) throws {
    let directory = try Directory(path: spool)
    // Far enough in the past that none of the names is in the future.
    let begin = Timestamp(seconds: Timestamp.now().seconds - 3_600)
    for number in 0..<count {
      if number.isMultiple(of: 1_000) { try Interrupted.check() }
      let date = begin + .microseconds(number)
      let file = try directory.open(TriggerName.make(date, channel: 1), .createNew, mode: 0o644)
      if filling == .written { try file.write(Self.content(at: date)) }
    }
  }

  /// - Throws: when the file system does not have room for the triggers and for the results of those that are run.
  func requireRoom(for count: Int) throws {
    let free = try Directory(path: spool).space(needed: 0).free
    let needed = Int64(count) * 6_000
    if free < needed {
      throw Failure(
        "\(fixed(Double(needed) / 1e9, 1)) GB needed in \(spool), \(fixed(Double(free) / 1e9, 1)) free")
    }
  }

  /// The number of entries in a folder of the spool.
  func count(in folder: String) throws -> Int {
    var count = 0
    try Directory(path: "\(spool)/\(folder)").forEachName { _ in count += 1 }
    return count
  }

  /// Drains the spool with the program.
  ///
  /// - Returns: the seconds from the program's start to its end.
  /// - Throws: also when not all `count` triggers have succeeded.
  func drain(_ count: Int, with bobbin: String) throws -> Double {
    let end = try Program.run(command(bobbin, "run", "--spool-only"))
    let done = try self.count(in: "done")
    if done != count { throw Failure("\(done) of \(count) triggers are in \(spool)/done after a drain") }
    return end.seconds
  }
}
