import FoundationEssentials
package import Posix

/// What the holder of the scheduler lock says of itself, in the lock file.
package struct HolderNote: Sendable, Codable, Equatable {
  package enum Kind: String, Sendable, Codable {
    /// A scheduled run: others do not wait for it.
    case scheduled
    /// A run for somebody's trigger, which a scheduled run waits for.
    case manual
  }

  /// A job that is running now.
  package struct Job: Sendable, Codable, Equatable {
    package let id: Int64
    package let channel: String
    package let trigger: String?
    package let startedAt: String

    package init(id: Int64, channel: String, trigger: String?, startedAt: String) {
      self.id = id
      self.channel = channel
      self.trigger = trigger
      self.startedAt = startedAt
    }

    private enum CodingKeys: String, CodingKey {
      case id, channel, trigger
      case startedAt = "started_at"
    }

    package var json: JSONValue {
      .object([
        ("id", .integer(id)), ("channel", .string(channel)), ("trigger", .optional(trigger)),
        ("started_at", .string(startedAt)),
      ])
    }
  }

  package let kind: Kind
  package let pid: Int32
  package let host: String
  package var run: Int64?
  package let startedAt: String
  /// The name of the process as its folder in `running/` has it.
  package let owner: String
  package var job: Job?

  /// No note is longer, as names are not.
  fileprivate static let sizeLimit = 4096

  /// - Parameter bytes: what the file begins with. Only the first line counts: that of an older note may end behind it, if
  ///   it could not be cut off.
  /// - Returns: nil for what is no note.
  fileprivate init?(_ bytes: [UInt8]) {
    let line = Data(bytes.prefix { $0 != UInt8(ascii: "\n") })
    guard let note = try? JSONDecoder().decode(HolderNote.self, from: line) else { return nil }
    self = note
  }

  package init(kind: Kind, startedAt: Timestamp, owner: ProcessIdentity) {
    self.kind = kind
    self.startedAt = startedAt.rfc3339(fractionDigits: 6)
    self.owner = owner.folder.description
    pid = owner.process
    host = CurrentProcess.hostName()
  }

  private enum CodingKeys: String, CodingKey {
    case kind, pid, host, run, owner, job
    case startedAt = "started_at"
  }

  package var json: JSONValue {
    .object([
      ("kind", .string(kind.rawValue)), ("pid", .integer(pid)), ("host", .string(host)),
      ("run", .optional(run)),
      ("started_at", .string(startedAt)), ("owner", .string(owner)), ("job", job?.json ?? .null),
    ])
  }

  package var description: String {
    "\(kind.rawValue) run (process \(pid) on \(host.printable), since \(startedAt.printable))"
  }
}

/// The lock that makes one run at a time: `scheduler.lock`, held for the length of a run.
package struct SchedulerLock: ~Copyable {
  private let lock: FileLock
  private var note: HolderNote
  /// What the holder before was running when it was killed. Nil when it gave the lock back, was between two jobs, or may
  /// not have been killed alone: a power cut says nothing about a job, and may have kept an older note.
  package let interruptedJob: HolderNote.Job?

  /// What an attempt to take it found.
  package enum Attempt: ~Copyable {
    case acquired(SchedulerLock)
    /// Nil: somebody who left no note, such as `flock(1)`.
    case held(by: HolderNote?)
  }

  /// Takes the lock if it is free, without waiting, and notes who holds it.
  ///
  /// RACE: somebody who only asks whether a run is on holds the lock for an instant. A holder without a note is
  /// therefore asked again, several times within a tenth of a second, before it is believed.
  package static func tryAcquire(
    _ place: SchedulerLockFile, kind: HolderNote.Kind, startedAt: Timestamp, owner: ProcessIdentity
  ) throws(SystemError) -> Attempt {
    for attempt in 0... {
      if let lock = try FileLock.tryAcquire(place.name, in: place.directory) {
        // Whoever gives the lock back takes its note away.
        let left = try HolderNote(lock.file.readStart(limit: HolderNote.sizeLimit))
        let wasKilled = left.flatMap { ProcessIdentity(FileName($0.owner)) }?.isAlive(asSeenBy: owner) == false
        var note = HolderNote(kind: kind, startedAt: startedAt, owner: owner)
        // Still to be recorded, by the holder after this one if this one is killed, too.
        note.job = wasKilled ? left?.job : nil
        try lock.file.replaceContent(with: note.json.line)
        return .acquired(SchedulerLock(lock: lock, note: note, interruptedJob: note.job))
      }
      if let note = try place.livingHolder(asSeenBy: owner) { return .held(by: note) }
      if attempt == 10 { break }
      try Poll.wait(until: .now() + .milliseconds(10))
    }
    return .held(by: nil)
  }

  private init(lock: consuming FileLock, note: HolderNote, interruptedJob: HolderNote.Job?) {
    self.lock = lock
    self.note = note
    self.interruptedJob = interruptedJob
  }

  /// Notes the number of the run.
  package mutating func note(run: Int64) throws(SystemError) {
    note.run = run
    try lock.file.replaceContent(with: note.json.line)
  }

  /// Notes what runs now, for `bobbin status` and for the holder after this one. Not synced: a power cut cuts short
  /// whatever it meets, which says nothing about the job.
  package mutating func note(job: HolderNote.Job?) throws(SystemError) {
    note.job = job
    try lock.file.replaceContent(with: note.json.line)
  }

  /// Whether the lock file still is where everybody looks for it. When not, another run may begin at any moment.
  package func isStillInPlace() throws(SystemError) -> Bool { try lock.isStillInPlace() }

  /// Takes the note away and releases the lock.
  package consuming func release() throws(SystemError) { try lock.file.truncate(to: 0) }
}

/// Where the scheduler lock is.
package struct SchedulerLockFile: Sendable {
  package let directory: Directory
  package let name: FileName

  package init(directory: Directory, name: FileName) {
    self.directory = directory
    self.name = name
  }

  /// The note in the lock file, if the one who wrote it still lives (or cannot be seen from here). The note of a dead
  /// process says nothing about who holds the lock now.
  package func livingHolder(asSeenBy owner: ProcessIdentity) throws(SystemError) -> HolderNote? {
    guard let file = try directory.openIfPresent(name) else { return nil }
    // RACE: the holder may be rewriting it at this moment; then it is not readable, and `tryAcquire` asks again.
    guard let note = HolderNote(try file.readStart(limit: HolderNote.sizeLimit)),
      let name = ProcessIdentity(FileName(note.owner)), name.isAlive(asSeenBy: owner) != false,
      name.isOfSameBoot(as: owner) || note.host != CurrentProcess.hostName()
    else { return nil }
    return note
  }

  /// Whether somebody holds the lock now.
  package func isHeld() throws(SystemError) -> Bool { try FileLock.isHeld(name, in: directory) }
}
