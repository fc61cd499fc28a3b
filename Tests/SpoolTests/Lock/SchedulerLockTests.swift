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
  private let moment = Timestamp(seconds: 1_769_855_400, nanoseconds: 123_456_789)

  init() throws {
    scratch = try TemporaryDirectory()
    place = SchedulerLockFile(directory: try scratch.open(), name: SpoolDirectory.lockName)
  }

  private func acquire(_ kind: HolderNote.Kind = .scheduled) throws -> SchedulerLock {
    switch try SchedulerLock.tryAcquire(place, kind: kind, startedAt: moment, owner: owner) {
    case .acquired(let lock): return lock
    case .held(let note): throw Failure("the lock is free, not held by \(note?.description ?? "somebody")")
    }
  }

  /// Who holds it, seen by somebody who wants it. Nil: somebody without a note.
  private func holder() throws -> HolderNote? {
    switch try SchedulerLock.tryAcquire(place, kind: .scheduled, startedAt: moment, owner: owner) {
    case .acquired: throw Failure("the lock is held")
    case .held(let note): return note
    }
  }

  private func isFree() throws -> Bool { try place.directory.isFree("scheduler.lock") }

  @Test(
    "Its holder leaves a note that says who and since when", arguments: [HolderNote.Kind.scheduled, .manual])
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

  @Test("A holder without a note that goes away at once was one who only looked")
  func looker() throws {
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

  @Test("The note follows what the run does")
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
    // Shorter than before, and nothing of the longer one is left.
    #expect(try holder()?.job == nil)
    #expect(try holder()?.run == 42)
    #expect(try scratch.text("scheduler.lock").hasSuffix("\"job\":null}\n"))
  }

  @Test("The scheduler lock released, it is free, without a note, and its file stays")
  func release() throws {
    try acquire().release()
    #expect(try scratch.text("scheduler.lock") == "")
    #expect(try place.livingHolder(asSeenBy: owner) == nil)
    #expect(try !place.isHeld())
    #expect(try isFree())
  }

  @Test("No file, no holder, and asking makes none")
  func missing() throws {
    #expect(try place.livingHolder(asSeenBy: owner) == nil)
    #expect(try !place.isHeld())
    #expect(!scratch.exists("scheduler.lock"))
  }

  @Test("A shell script that has it with flock(1) is somebody without a note")
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

  @Test("The other way round, flock(1) is kept out by a run")
  func flockRefused() throws {
    let lock = try acquire()
    #expect(try Script.run("flock -n '\(scratch.path)/scheduler.lock' true").exit == .status(1))
    #expect(try lock.isStillInPlace())
  }

  /// Writes a note as another process would.
  private func leaveNote(owner: ProcessIdentity, job: HolderNote.Job? = nil) throws {
    var note = HolderNote(kind: .scheduled, startedAt: moment, owner: owner)
    note.job = job
    try scratch.write("scheduler.lock", String(decoding: note.json.line, as: UTF8.self))
  }

  @Test("The note of a dead process is not believed, whoever holds the lock now")
  func deadHolder() throws {
    try leaveNote(owner: try .process(CurrentProcess.id, startTime: 1))
    #expect(try place.livingHolder(asSeenBy: owner) == nil)
    let lock = try place.directory.lock("scheduler.lock")
    #expect(try holder() == nil)
    _ = lock.file.number
  }

  @Test("The note of a dead process keeps nobody from a lock that is free")
  func staleNote() throws {
    try leaveNote(owner: try .process(CurrentProcess.id, startTime: 1))
    let lock = try acquire(.manual)
    #expect(try holder()?.kind == .manual)
    #expect(try lock.isStillInPlace())
  }

  @Test("What a holder was running when it was killed is known to the next one, and to no other")
  func killed() throws {
    let job = HolderNote.Job(
      id: 7, channel: "cats", trigger: nil, startedAt: Timestamp(seconds: 1_769_855_460))
    let dead = try ProcessIdentity.process(CurrentProcess.id, startTime: 1)
    try leaveNote(owner: dead, job: job)
    let next = try acquire()
    #expect(next.interruptedJob == job)
    #expect(try holder()?.job == job, "until it is recorded, it is kept for the holder after this one")
    try next.release()
    #expect(try acquire().interruptedJob == nil)
    try leaveNote(owner: dead)
    #expect(try acquire().interruptedJob == nil, "between two jobs")
    try leaveNote(owner: try .named("0123456789ab-1-77-5"), job: job)
    #expect(
      try acquire().interruptedJob == nil, "of another boot: perhaps a power cut, which is no job's doing")
  }

  @Test("The note of a process that cannot be seen from here is believed while the lock is held")
  func elsewhere() throws {
    // Of another container.
    let boot = try #require(ProcessIdentity.current().folder.text?.split(separator: "-").first)
    let other = try ProcessIdentity.named("\(boot)-1-77-5")
    try leaveNote(owner: other)
    let lock = try place.directory.lock("scheduler.lock")
    #expect(try holder()?.owner == other.folder.description)
    _ = lock.file.number
  }

  @Test("The note that a power cut left is not believed, whoever holds the lock now")
  func earlierBoot() throws {
    try leaveNote(owner: try .named("0123456789ab-1-77-5"))
    let lock = try place.directory.lock("scheduler.lock")
    #expect(try holder() == nil)
    _ = lock.file.number
  }

  @Test(
    "What is not a note says nothing",
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
    #expect(try isFree(), "which is why it must look")
  }
}
