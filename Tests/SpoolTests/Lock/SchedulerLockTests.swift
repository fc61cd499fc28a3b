import Posix
import Spool
import TestSupport
import Testing
import Text

@Suite("The scheduler lock", .serialized, .alone)
struct SchedulerLockTests {
  let scratch: TemporaryDirectory
  let place: SchedulerLockFile
  let owner = ProcessIdentity.current()
  private let startTime = Timestamp(seconds: 1_769_855_400, nanoseconds: 123_456_789)

  init() throws {
    scratch = try TemporaryDirectory()
    place = SchedulerLockFile(directory: try scratch.open(), name: SpoolDirectory.lockName)
  }

  private func acquire(_ kind: HolderNote.Kind = .scheduled) throws -> SchedulerLock {
    switch try SchedulerLock.tryAcquire(place, kind: kind, startedAt: startTime, owner: owner) {
    case .acquired(let lock): return lock
    case .held(let note):
      throw Failure("the lock is not free, but held by \(note?.description ?? "somebody")")
    }
  }

  /// The holder's note as another process sees it; nil for a holder without a note.
  private func holder() throws -> HolderNote? {
    switch try SchedulerLock.tryAcquire(place, kind: .scheduled, startedAt: startTime, owner: owner) {
    case .acquired: throw Failure("the lock is not held")
    case .held(let note): return note
    }
  }

  private func isFree() throws -> Bool { try place.directory.isFree("scheduler.lock") }

  @Test(
    "The holder leaves a note that says who it is and since when it holds the lock",
    arguments: [HolderNote.Kind.scheduled, .manual])
  func note(_ kind: HolderNote.Kind) throws {
    let lock = try acquire(kind)
    let note = try #require(try holder())
    #expect(note.kind == kind)
    #expect(note.pid == CurrentProcess.id)
    #expect(note.startedAt == "2026-01-31T10:30:00.123456Z")
    #expect(note.owner == owner.folder.description)
    #expect(note.run == nil && note.job == nil)
    #expect(note.description.hasPrefix("\(kind.rawValue) run (process \(CurrentProcess.id) on "))
    #expect(try place.isHeld())
    #expect(try lock.isStillInPlace())
  }

  @Test("A holder without a note that is gone at once was only checking the lock")
  func checker() throws {
    let directory = place.directory
    let (isHeld, mayGo) = (Monitor(false), Monitor(false))
    let worker = try JoinableThread {
      guard let lock = try? FileLock.tryAcquire(FileName("scheduler.lock"), in: directory) else { return }
      isHeld.withLock { $0 = true }
      isHeld.notifyAll()
      mayGo.wait { $0 ? () : nil }
      CurrentProcess.pause(for: .milliseconds(15))
      _ = lock.file.number
    }
    isHeld.wait { $0 ? () : nil }
    mayGo.withLock { $0 = true }
    mayGo.notifyAll()
    let lock = try acquire()
    #expect(try lock.isStillInPlace())
    worker.join()
  }

  @Test("The note is updated with the job of the run")
  func updates() throws {
    var lock = try acquire()
    try lock.note(run: 42)
    #expect(try holder()?.run == 42)
    let job = HolderNote.Job(
      id: 7, channel: "cats\n", trigger: "a.json", startedAt: Timestamp(seconds: 1_769_855_460))
    try lock.note(job: job)
    #expect(try holder()?.job == job)
    #expect(try scratch.text("scheduler.lock").split(separator: "\n").count == 1)
    try lock.note(job: nil)
    // The note is shorter than before, and nothing of the longer note remains.
    #expect(try holder()?.job == nil)
    #expect(try holder()?.run == 42)
    #expect(try scratch.text("scheduler.lock").hasSuffix("\"job\":null}\n"))
  }

  @Test("A released lock is free and without a note, and its file stays")
  func release() throws {
    try acquire().release()
    #expect(try scratch.text("scheduler.lock") == "")
    #expect(try place.livingHolder(asSeenBy: owner) == nil)
    #expect(try !place.isHeld())
    #expect(try isFree())
  }

  @Test("A lock without a file is free, and the check does not make the file")
  func missing() throws {
    #expect(try place.livingHolder(asSeenBy: owner) == nil)
    #expect(try !place.isHeld())
    #expect(!scratch.exists("scheduler.lock"))
  }

  @Test("A shell script that holds the lock with flock(1) is a holder without a note")
  func flock() throws {
    let other = try scratch.open().lock("other")
    let path = "\(scratch.path)/scheduler.lock"
    let child = try Script.start(
      "exec flock '\(path)' sh -c 'echo locked; exec sleep 600'", inheriting: other)
    #expect(try Script.line(from: child) == "locked")
    #expect(try holder() == nil)
    #expect(try place.isHeld())
    child.signalGroup(Signals.kill)
    _ = try Script.reap(child.id)
    try waitUntil("the lock is free") { try isFree() }
  }

  @Test("A run keeps flock(1) out")
  func flockRefused() throws {
    let lock = try acquire()
    #expect(try Script.run("flock -n '\(scratch.path)/scheduler.lock' true").exit == .status(1))
    #expect(try lock.isStillInPlace())
  }

  /// Writes a note as another process would.
  private func leaveNote(owner: ProcessIdentity, job: HolderNote.Job? = nil) throws {
    var note = HolderNote(kind: .scheduled, startedAt: startTime, owner: owner)
    note.job = job
    try scratch.write("scheduler.lock", String(decoding: note.json.line, as: UTF8.self))
  }

  @Test("The note of a dead process is ignored, even if another process holds the lock")
  func deadHolder() throws {
    try leaveNote(owner: try .process(CurrentProcess.id, startTime: 1))
    #expect(try place.livingHolder(asSeenBy: owner) == nil)
    let lock = try place.directory.lock("scheduler.lock")
    #expect(try holder() == nil)
    _ = lock.file.number
  }

  @Test("The note of a dead process does not keep others from a free lock")
  func staleNote() throws {
    try leaveNote(owner: try .process(CurrentProcess.id, startTime: 1))
    let lock = try acquire(.manual)
    #expect(try holder()?.kind == .manual)
    #expect(try lock.isStillInPlace())
  }

  @Test("Only the next holder gets the job that a killed holder was running")
  func killed() throws {
    let job = HolderNote.Job(
      id: 7, channel: "cats", trigger: nil, startedAt: Timestamp(seconds: 1_769_855_460))
    let dead = try ProcessIdentity.process(CurrentProcess.id, startTime: 1)
    try leaveNote(owner: dead, job: job)
    let next = try acquire()
    #expect(next.interruptedJob == job)
    #expect(try holder()?.job == job, "the job stays in the note until it is recorded")
    try next.release()
    #expect(try acquire().interruptedJob == nil)
    try leaveNote(owner: dead)
    #expect(try acquire().interruptedJob == nil, "the holder was killed between two jobs")
    try leaveNote(owner: try .named("0123456789ab-1-77-5"), job: job)
    #expect(
      try acquire().interruptedJob == nil, "the note is of an earlier boot: perhaps a power cut ended the job"
    )
  }

  @Test("The note of a process in another namespace is used while the lock is held")
  func elsewhere() throws {
    // A process in another container.
    let boot = try #require(ProcessIdentity.current().folder.text?.split(separator: "-").first)
    let other = try ProcessIdentity.named("\(boot)-1-77-5")
    try leaveNote(owner: other)
    let lock = try place.directory.lock("scheduler.lock")
    #expect(try holder()?.owner == other.folder.description)
    _ = lock.file.number
  }

  @Test("The note of an earlier boot is ignored, even if another process holds the lock")
  func earlierBoot() throws {
    try leaveNote(owner: try .named("0123456789ab-1-77-5"))
    let lock = try place.directory.lock("scheduler.lock")
    #expect(try holder() == nil)
    _ = lock.file.number
  }

  @Test("The note of a living process is believed, by whatever name it knows the boot")
  func otherBootName() throws {
    let parts = owner.folder.description.split(separator: "-")
    let other = try ProcessIdentity.named("0123456789ab-\(parts[1])-\(parts[2])-\(parts[3])")
    try leaveNote(owner: other)
    let lock = try place.directory.lock("scheduler.lock")
    #expect(try holder()?.owner == other.folder.description)
    _ = lock.file.number
  }

  @Test(
    "A text that is not a note is ignored",
    arguments: ["", "{", "null", "{}", #"{"kind":"scheduled","pid":1}"#, "12345", "\u{0}\u{0}", "ä"])
  func torn(_ text: String) throws {
    try scratch.write("scheduler.lock", text)
    #expect(try place.livingHolder(asSeenBy: owner) == nil)
    let lock = try acquire()
    #expect(try holder()?.pid == CurrentProcess.id)
    #expect(try lock.isStillInPlace())
  }

  @Test("A holder notices that its lock file was removed")
  func removed() throws {
    let lock = try acquire()
    try scratch.remove("scheduler.lock")
    #expect(try !lock.isStillInPlace())
    #expect(try isFree(), "so the holder must check")
  }
}
