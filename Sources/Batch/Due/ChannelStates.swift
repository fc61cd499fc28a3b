import Channels
import FoundationEssentials
import Posix
import Spool
import Text

/// The file `state/channels.json`: what is remembered of the channels' scheduled jobs. Only the holder of the scheduler
/// lock writes it.
struct ChannelStates {
  private static let name = FileName("channels.json")
  private static let temporaryName = FileName(".channels.json")
  /// Some 200 bytes a channel.
  private static let sizeLimit = 16 << 20

  private(set) var states: [Int64: ChannelState] = [:]
  /// What is wrong with the file, so that it was not believed.
  private(set) var fault: String?

  /// Nothing is remembered, as in a new spool.
  init() {}

  /// Reads the file. A file that somebody else made, or that is damaged, is not believed.
  ///
  /// - Parameter root: the spool, whose folder `state` may be missing.
  init(in root: Directory) throws(SystemError) {
    let trusted = try TrustedOwners(in: root)
    guard let folder = try root.status(of: SpoolFolder.state.name), trusted.covers(folder, .directory) else {
      return
    }
    let state = try root.directory(SpoolFolder.state.name)
    guard let found = try state.status(of: Self.name) else { return }
    guard trusted.covers(found, .regular), let file = try state.openIfPresent(Self.name),
      trusted.covers(try file.status(), .regular)
    else {
      fault = "\(state.path(of: Self.name)) was made by somebody else"
      return
    }
    let bytes = try file.readAll(expecting: found.size, limit: Self.sizeLimit)
    if let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) {
      states = Dictionary(
        document.channels.map { ($0.id, $0.state) }, uniquingKeysWith: { first, _ in first })
    } else {
      fault = "\(state.path(of: Self.name)) is damaged"
    }
  }

  subscript(channel: Channel) -> ChannelState {
    get { states[channel.id] ?? ChannelState() }
    set { states[channel.id] = newValue }
  }

  /// When a channel is due, for a report.
  ///
  /// - Parameter isRunning: whether a run is active; a job without an end is then not taken for one that was cut short.
  func due(_ channel: Channel, now: Timestamp, isRunning: Bool) -> Due {
    var state = self[channel]
    state.believe(now)
    if isRunning { state.job = nil }
    return state.due(channel, now: now)
  }

  /// Returns once the file is on the disk. It is replaced as a whole: after a crash it is the old one or the new one.
  func write(to folder: Directory) throws(SystemError) {
    let channels = states.sorted { $0.key < $1.key }.map { Self.json($0.key, $0.value) }
    // A crash may have left one.
    _ = try folder.remove(Self.temporaryName)
    do throws(SystemError) {
      let file = try folder.open(Self.temporaryName, .createNew)
      try file.write(JSONValue.object([("channels", .array(channels))]).line)
      try file.sync()
      try folder.replace(Self.name, with: Self.temporaryName)
    } catch {
      _ = try? folder.remove(Self.temporaryName)
      throw error
    }
    try folder.sync()
  }

  private static func json(_ id: Int64, _ state: ChannelState) -> JSONValue {
    func text(_ time: Timestamp?) -> JSONValue { .optional(time?.rfc3339(fractionDigits: 6)) }
    return .object([
      ("id", .integer(id)), ("seen_at", text(state.seenAt)), ("started_at", text(state.startedAt)),
      ("job", .optional(state.job)), ("failures", .integer(state.failures)),
      ("failed_at", text(state.failedAt)),
    ])
  }

  private struct Document: Decodable {
    let channels: [Entry]
  }

  private struct Entry: Decodable {
    let id: Int64
    let state: ChannelState

    private enum CodingKeys: String, CodingKey {
      case id, job, failures
      case seenAt = "seen_at"
      case startedAt = "started_at"
      case failedAt = "failed_at"
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      func time(_ key: CodingKeys) throws -> Timestamp? {
        try values.decodeIfPresent(String.self, forKey: key).flatMap { Timestamp(rfc3339: $0) }
      }
      id = try values.decode(Int64.self, forKey: .id)
      state = ChannelState(
        seenAt: try time(.seenAt), startedAt: try time(.startedAt),
        job: try values.decodeIfPresent(Int64.self, forKey: .job),
        failures: try values.decodeIfPresent(Int.self, forKey: .failures) ?? 0,
        failedAt: try time(.failedAt))
    }
  }
}
