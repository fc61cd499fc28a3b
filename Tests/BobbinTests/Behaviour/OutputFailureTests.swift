import Foundation
import TestSupport
import Testing

/// A command does its work even if its output cannot be written.
@Suite("Standard output that cannot be written", .alone)
struct OutputFailureTests {
  private enum Output: String, CaseIterable, Sendable {
    /// A pipe whose reader has gone, as `| head -n 1` leaves it.
    case withoutReader = "3<>fifo 4>fifo 3<&- >&4"
    /// A disk without space.
    case full = ">/dev/full"
  }

  private func bobbin(_ arguments: [String], to output: Output, _ instance: TestInstance) throws
    -> ProgramResult
  {
    try? instance.directory.fifo("fifo")
    let script = "cd \"$1\" && exec \(output.rawValue) && shift && exec \"$@\""
    return try Program(
      "/bin/sh",
      [
        "-c", script, "sh", instance.directory.path, try Program.bobbin().path, "--config",
        instance.configuration,
      ] + arguments
    ).start(outputIn: instance.directory).wait()
  }

  private func instance() throws -> TestInstance {
    try TestInstance(
      channels: """
        { id: 1, name: "good", command: ["handlers/note"], enabled: false },
        { id: 2, name: "bad", command: ["handlers/fail"] },
        """)
  }

  @Test(
    "A command that failed keeps its status", arguments: [Output.withoutReader, .full],
    [
      (["run"], 1), (["run", "--json"], 1), (["cancel", "none.json", "--json"], 65),
      (["trigger", "bad", "--json"], 1), (["check"], 78), (["check", "--json"], 78),
    ] as [([String], Int32)])
  private func failed(output: Output, command: ([String], status: Int32)) throws {
    let words = command.0
    let instance = try instance()
    if words[0] == "check" {
      try instance.configure(channels: #"{ id: 1, name: "a", command: ["no-such-program"] }"#)
    }
    let result = try bobbin(words, to: output, instance)
    #expect(result.status == command.status, "\(result)")
  }

  @Test(
    "A command that succeeded exits with 74, unless only the reader is gone",
    arguments: [
      ["run"], ["run", "--json"], ["run", "--dry-run"], ["trigger", "good", "--json"], ["prune"],
      ["cancel", "a.json", "b.json"], ["cancel", "--all"], ["queue"], ["status"], ["check"], ["history"],
      ["help"], ["--version"],
    ])
  func succeeded(command: [String]) throws {
    let instance = try TestInstance(channels: #"{ id: 1, name: "good", command: ["handlers/note"] }"#)
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let full = try bobbin(command, to: .full, instance)
    #expect(full.status == 74, "\(full)")
    #expect(full.errorLines.contains { $0.contains("No space left on device") }, "\(full)")
    if command[0] == "cancel" { #expect(try instance.pending() == []) }
    for name in ["a.json", "b.json"] { try instance.drop(name) }
    let closed = try bobbin(command, to: .withoutReader, instance)
    #expect(closed.status == 0, "\(closed)")
    #expect(!closed.error.contains("bobbin: "), "\(closed)")
  }

  @Test("A command waits for a full non-blocking pipe")
  func nonBlocking() throws {
    let instance = try TestInstance()
    for number in 100..<400 { try instance.drop("\(String(repeating: "x", count: 150))-\(number).json") }
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    // The smallest possible pipe (F_SETPIPE_SZ), so that it is full at once.
    _ = fcntl(ends[1], 1031, 4096)
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    // Not sh, which need not support descriptors above 9.
    let running = try Program(
      "/bin/bash",
      [
        "-c", "exec \"$1\" --config \"$2\" queue --json >&\(ends[1]) \(ends[1])>&-", "bash",
        try Program.bobbin().path, instance.configuration,
      ]
    ).start(outputIn: instance.directory)
    close(ends[1])
    defer { close(ends[0]) }
    var text = Data()
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = read(ends[0], &buffer, buffer.count), count > 0 { text += buffer[..<count] }
    #expect(try running.wait().status == 0)
    #expect(try JSON.lines(String(decoding: text, as: UTF8.self)).count == 300)
  }
}
