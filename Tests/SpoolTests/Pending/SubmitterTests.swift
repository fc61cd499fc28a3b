import Foundation
import Posix
import Spool
import TestSupport
import Testing
import Text

@Suite("Submitting triggers", .alone)
struct SubmitterTests {
  let scratch: TemporaryDirectory
  let spool: SpoolDirectory
  private let now = Timestamp(seconds: 1_769_855_400, nanoseconds: 123_456_789)

  init() throws {
    scratch = try TemporaryDirectory()
    spool = try SpoolDirectory(path: scratch.path)
  }

  @Test("A trigger is a complete object under a name that is made of the time and the channel")
  func submit() throws {
    var submitter = Submitter(spool)
    let name = try submitter.submit(channel: 7, user: "anna", now: now)
    #expect(name.description == "20260131T103000.123456Z-7.json")
    #expect(
      try scratch.text(name.description)
        == #"{"channel_id":7,"user":"anna","timestamp":"2026-01-31T10:30:00.123456Z"}"# + "\n")
    #expect(try spool.root.names() == [name], "no temporary file remains")
    #expect(try spool.root.status(of: name)?.mode == 0o644)
  }

  @Test(
    "A submitted trigger is read back with the same channel and user",
    arguments: ["anna", nil, "a \"quoted\" name", "ä\u{1F431}"])
  func readBack(_ user: String?) throws {
    var submitter = Submitter(spool)
    let name = try submitter.submit(channel: 42, user: user, now: now)
    let trigger = try Inspector(spool.root, SettleRules(settle: .seconds(2))).inspect(name, now: .now())
    guard case .settled(let trigger, _) = trigger else { throw Failure("settled, not \(trigger)") }
    #expect(trigger.channels == .success([.id(42)]))
    #expect(trigger.user == user)
    #expect(trigger.requestedAt == Timestamp(seconds: now.seconds, nanoseconds: 123_456_000))
  }

  @Test("A later trigger does not sort before an earlier one, even if the clock is set back")
  func order() throws {
    var submitter = Submitter(spool)
    let offsets: [Duration] = [
      .zero, .zero, .nanoseconds(1), .seconds(-3_600), .microseconds(1), .seconds(5), .seconds(4),
    ]
    let names = try offsets.enumerated().map { index, offset in
      try submitter.submit(channel: Int64(100 - index), user: nil, now: now + offset)
    }
    #expect(names == names.sorted())
    #expect(Set(names).count == names.count)
    #expect(names[1].description.hasPrefix("20260131T103000.123457Z"))
    #expect(names[5].description.hasPrefix("20260131T103005.123456Z"))
  }

  @Test("A name that is taken is not replaced")
  func taken() throws {
    try scratch.write("20260131T103000.123456Z-7.json", "mine")
    var submitter = Submitter(spool)
    let name = try submitter.submit(channel: 7, user: nil, now: now)
    #expect(name.description == "20260131T103000.123457Z-7.json")
    #expect(try scratch.text("20260131T103000.123456Z-7.json") == "mine")
    #expect(try submitter.submit(channel: 7, user: nil, now: now) > name)
  }

  @Test(
    "200 triggers that are submitted at the same time are all there, and each is complete whenever it is read"
  )
  func concurrent() throws {
    let submitted = Monitor<[FileName]>([])
    let observed = Monitor((scans: 0, broken: [String](), isDone: false))
    let reader = try JoinableThread { [spool] in
      let inspector = Inspector(spool.root, SettleRules(settle: .seconds(2)))
      while !observed.withLock({ $0.isDone }) {
        for name in (try? spool.root.names()) ?? [] where TriggerName.isTrigger(name.bytes) {
          let inspection = try? inspector.inspect(name, now: .now())
          observed.withLock {
            $0.scans += 1
            if case .settled(let trigger, _) = inspection, case .object = trigger.content { return }
            $0.broken.append("\(name): \(String(describing: inspection))")
          }
        }
      }
    }
    try inParallel(4) { [spool, now] _ in
      var submitter = Submitter(spool)
      for number in 0..<50 {
        guard let name = try? submitter.submit(channel: Int64(number % 3), user: nil, now: now) else {
          return
        }
        submitted.withLock { $0.append(name) }
      }
    }
    observed.withLock { $0.isDone = true }
    reader.join()
    let names = submitted.withLock { $0 }
    #expect(names.count == 200)
    #expect(Set(names).count == 200)
    #expect(try Set(spool.root.names()) == Set(names))
    #expect(observed.withLock { $0.broken } == [])
  }

  @Test("A trigger that cannot be written is an error, and nothing is left behind")
  func failure() throws {
    try scratch.directory("gone")
    let gone = try SpoolDirectory(path: "\(scratch.path)/gone")
    #expect(try spool.root.removeDirectory(FileName("gone")))
    #expect(throws: SystemError.self) {
      var submitter = Submitter(gone)
      _ = try submitter.submit(channel: 7, user: nil)
    }
  }

  @Test("The batch can read a trigger in a drop box, which its submitter may not list")
  func dropBox() throws {
    try scratch.directory("box")
    #expect(chmod(scratch.path, 0o755) == 0)
    #expect(chmod("\(scratch.path)/box", 0o333) == 0)
    let mask = umask(0o077)
    defer { umask(mask) }
    let name = try asOrdinaryUser {
      let box = try SpoolDirectory(path: "\(scratch.path)/box")
      #expect(!box.isListable)
      var submitter = Submitter(box)
      return try submitter.submit(channel: 7, user: nil, now: now)
    }
    #expect(chmod("\(scratch.path)/box", 0o755) == 0)
    #expect(try scratch.names(in: "box") == [name.description])
    #expect(try PathQueries.status("\(scratch.path)/box/\(name)")?.mode == 0o644)
  }
}
